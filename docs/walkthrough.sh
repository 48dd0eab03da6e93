#!/usr/bin/env bash
# Who may delete whom: one story from an organization's first hour to its audit log, told against a running server.
# Makes an organization on the server, changes nothing else there, and leaves no file here.
#
#   OPERATOR_KEY=rc_ok_… docs/walkthrough.sh [URL]
#
# URL is the server's, http://127.0.0.1:8080 where none is given; BACKOFFICE_URL is the backoffice's where it has a listener
# of its own. `rollcall bootstrap --name NAME` prints an operator key. Needs bash, curl, and Python 3 to read JSON.
set -euo pipefail

url=${1:-http://127.0.0.1:8080}
url=${url%/}
backoffice=${BACKOFFICE_URL:-$url}
backoffice=${backoffice%/}/backoffice/v1
api=$url/api/v1
scim=$url/scim/v2
step=0

fail() { printf 'walkthrough: step %s: %s\n' "$step" "$*" >&2; exit 1; }

for program in curl python3; do
  command -v "$program" >/dev/null 2>&1 || fail "$program is needed"
done
operator_key=${OPERATOR_KEY:-}
[ -n "$operator_key" ] || fail 'OPERATOR_KEY is needed; `rollcall bootstrap --name NAME` prints one'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# say SENTENCE: begins the next step.
say() { step=$((step + 1)); printf '%s. %s\n' "$step" "$*"; }

# request STATUS KEY METHOD URL [BODY]: the answer must have that status; its body is kept for `field` and `show`.
request() {
  local expected=$1 key=$2 method=$3 target=$4 body=${5:-} type=application/json status
  case $target in "$scim"/*) type=application/scim+json ;; esac
  set -- --silent --show-error --max-time 30 --request "$method" --output "$work/body" --write-out '%{http_code}'
  if [ -n "$body" ]; then set -- "$@" --header "Content-Type: $type" --data-binary "$body"; fi
  : >"$work/body"
  # The key comes over a pipe: a process's arguments can be read by others.
  status=$(curl "$@" --header @<(printf 'Authorization: Bearer %s' "$key") "$target") || fail "$method $target: no answer"
  [ "$status" = "$expected" ] || fail "$method $target answered $status, expected $expected: $(cat "$work/body")"
}

operator() { local expected=$1; shift; request "$expected" "$operator_key" "$@"; }
admin() { local expected=$1; shift; request "$expected" "$admin_key" "$@"; }
idp() { local expected=$1; shift; request "$expected" "$token" "$@"; }

# field NAME…: a value of the last answer; each name leads one level down.
field() {
  python3 -c '
import json, sys
value = json.load(open(sys.argv[1], encoding="utf-8"))
for name in sys.argv[2:]:
    value = value[int(name) if isinstance(value, list) else name]
print(value if isinstance(value, str) else json.dumps(value))
' "$work/body" "$@" 2>/dev/null || fail "the answer has no $*: $(cat "$work/body")"
}

# is EXPECTED NAME…: a value of the last answer is what it must be.
is() {
  local expected=$1 found
  shift
  found=$(field "$@")
  [ "$found" = "$expected" ] || fail "$* is $found, expected $expected"
}

# show: the last answer, indented.
show() {
  python3 -c '
import json, sys
for line in json.dumps(json.load(open(sys.argv[1], encoding="utf-8")), indent=2, ensure_ascii=False).splitlines():
    print("   " + line)
' "$work/body"
}

# note TEXT: what came of the step.
note() { printf '   %s\n' "$*"; }

# push USER_NAME GIVEN FAMILY: the person as an identity provider describes them.
push() {
  printf '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%s","externalId":"okta-%s",
    "name":{"givenName":"%s","familyName":"%s"},"displayName":"%s %s",
    "emails":[{"value":"%s","type":"work","primary":true}],"active":true}' "$1" "$1" "$2" "$3" "$2" "$3" "$1"
}

say 'The operator makes the organization Northwind, with an API key for its first Admin.'
operator 201 POST "$backoffice/organizations" '{"name":"Northwind","with_api_key":true,"reason":"Signed the contract"}'
organization=$(field id)
admin_key=$(field api_key key)
admin 200 GET "$api/organization"
is "$organization" id
note "Organization $organization"

say 'The Admin connects Okta, activates the connection and makes a token for it.'
admin 201 POST "$api/connections" '{"provider":"okta","name":"Okta"}'
connection=$(field id)
admin 200 POST "$api/connections/$connection/activate"
is active state
admin 201 POST "$api/connections/$connection/scim-tokens" '{"name":"Okta provisioning"}'
token=$(field secret)
fingerprint=$(field fingerprint)
note "Token $fingerprint"

say 'Okta pushes Anna, Ben and Chiara, and the group Stewards with all three.'
idp 201 POST "$scim/Users" "$(push anna@northwind.example Anna Lindqvist)"
anna=$(field id)
idp 201 POST "$scim/Users" "$(push ben@northwind.example Ben Okafor)"
ben=$(field id)
idp 201 POST "$scim/Users" "$(push chiara@northwind.example Chiara Rossi)"
chiara=$(field id)
idp 201 POST "$scim/Groups" '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Stewards",
  "members":[{"value":"'"$anna"'"},{"value":"'"$ben"'"},{"value":"'"$chiara"'"}]}'
group=$(field id)
admin 200 GET "$api/users?managed_by=external&include_total=true"
is 3 page total

say 'The Admin maps the group to Data Admin: who is in it holds the role.'
admin 200 PUT "$api/groups/$group/role-mapping" '{"roles":["data_admin"]}'
admin 200 GET "$api/users/$chiara"
is data_admin roles 0 key
is group roles 0 source
is Stewards roles 0 via name
note 'Chiara holds data_admin through the group Stewards'

say 'The Admin deletes Chiara: refused, for Okta manages her.'
admin 403 DELETE "$api/users/$chiara"
is managed-externally code
is Okta connection name
show
admin 200 GET "$api/users/$chiara"

say 'Okta deletes Chiara: she is gone.'
idp 204 DELETE "$scim/Users/$chiara"
admin 404 GET "$api/users/$chiara"
admin 200 GET "$api/users?include_total=true"
is 2 page total

say 'The operator removes Ben and blocks him.'
operator 200 DELETE "$backoffice/organizations/$organization/users/$ben?mode=block" '{"reason":"Asked for by the customer"}'
block=$(field block)
effect=$(field next_sync_effect)
note "$effect"
admin 404 GET "$api/users/$ben"

say 'Okta pushes Ben again: refused, and the provisioning log explains it.'
idp 409 POST "$scim/Users" "$(push ben@northwind.example Ben Okafor)"
is uniqueness scimType
# The log is written behind the answers.
for attempt in $(seq 100); do
  admin 200 GET "$api/provisioning-log?outcome=refused&connection=$connection"
  found=$(field data)
  [ "$found" = '[]' ] || break
  [ "$attempt" -lt 100 ] || fail 'the provisioning log does not have the refusal'
  sleep 0.1
done
is 409 data 0 status
explanation=$(field data 0 explanation)
note "$explanation"

say 'The operator lifts the block and Okta pushes Ben again: he is back, as somebody new.'
operator 204 DELETE "$backoffice/organizations/$organization/blocks/$block" '{"reason":"The customer wants him back"}'
idp 201 POST "$scim/Users" "$(push ben@northwind.example Ben Okafor)"
again=$(field id)
[ "$again" != "$ben" ] || fail 'he has his former id'
admin 200 GET "$api/users/$again"
is active status
is '[]' roles

say 'The audit log of the organization has it all.'
admin 200 GET "$api/audit-events?sort=at&limit=200"
python3 -c '
import json, sys
for event in json.load(open(sys.argv[1], encoding="utf-8"))["data"]:
    doer, target = event["actor"], event["target"]
    words = [event["action"], event["result"], doer["label"] or doer["type"], target["label"] or target["type"]]
    line = "{:26}{:9}{:20}{}".format(*words)
    print("   " + (line + " (" + event["reason"] + ")" if event["reason"] else line))
' "$work/body"
