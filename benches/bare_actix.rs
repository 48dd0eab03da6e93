//! A bare actix-web server that answers a user's bytes: the yardstick of `scripts/bench` for reads.
//!
//! Routes as the product does and sends the headers that it sends; no credential, no database, no middleware.
//! `cargo run --release --example bare_actix -- [ADDRESS [BODY-FILE]]` prints its address and serves until killed.

use std::io;
use std::path::PathBuf;

use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

/// A user of about 1.1 kB with two groups, as the product answers it.
const USER: &str = concat!(
    r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"#,
    r#""id":"019a0000-0000-7000-8000-000000000001","externalId":"00u00000000000000001","userName":"ada@load.example","#,
    r#""name":{"formatted":"Ada Lovelace","familyName":"Lovelace","givenName":"Ada"},"displayName":"Ada Lovelace","#,
    r#""nickName":"Ada","title":"Site reliability engineer","preferredLanguage":"en-GB","locale":"en-GB","#,
    r#""timezone":"Europe/London","active":true,"emails":[{"value":"ada@load.example","type":"work","primary":true},"#,
    r#"{"value":"home-1@mail.example","type":"home","primary":false}],"#,
    r#""phoneNumbers":[{"value":"+44 20 7946 0001","type":"work","primary":true}],"#,
    r#""addresses":[{"streetAddress":"1 Fleet Street","locality":"London","postalCode":"EC4Y 1AA","country":"GB","#,
    r#""type":"work","primary":true}],"groups":[{"value":"019a0000-0000-7000-8000-0000000000a1","#,
    r#""$ref":"https://scim.example/scim/v2/Groups/019a0000-0000-7000-8000-0000000000a1","display":"Staff","type":"direct"},"#,
    r#"{"value":"019a0000-0000-7000-8000-0000000000a2","#,
    r#""$ref":"https://scim.example/scim/v2/Groups/019a0000-0000-7000-8000-0000000000a2","display":"London","type":"direct"}],"#,
    r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"1","costCenter":"4130","#,
    r#""department":"Operations"},"meta":{"resourceType":"User","created":"2026-01-01T00:00:00.000Z","#,
    r#""lastModified":"2026-01-01T00:00:00.000Z","version":"W/\"1\"","#,
    r#""location":"https://scim.example/scim/v2/Users/019a0000-0000-7000-8000-000000000001"}}"#,
);

async fn user(request: HttpRequest, body: web::Data<web::Bytes>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/scim+json"))
        .insert_header((header::ETAG, "W/\"1\""))
        .insert_header((header::CONTENT_LOCATION, request.path()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("x-request-id", "019a0000-0000-7000-8000-000000000002"))
        .body(web::Bytes::clone(&body))
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let body = match arguments.next() {
        Some(file) => std::fs::read(PathBuf::from(file))?.into(),
        None => web::Bytes::from_static(USER.as_bytes()),
    };
    let body = web::Data::new(body);
    let server = HttpServer::new(move || {
        App::new().app_data(body.clone()).service(web::scope("/scim/v2").route("/Users/{id}", web::get().to(user)))
    })
    .bind(address)?;
    for address in server.addrs() {
        println!("http://{address}/scim/v2/Users/019a0000-0000-7000-8000-000000000001");
    }
    server.run().await
}
