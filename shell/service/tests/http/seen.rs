//! Checklist class 13: what logs and metrics show of people is a network and nothing more.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::stand::{CODE, Stand, photo};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn logs_and_metrics_hold_no_ids_codes_or_addresses() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let stand = Stand::new().await;
    let request = stand.request(1);
    let id = stand.submit(&request).await.json()["id"].as_str().unwrap().to_owned();
    stand.settled(&id).await;
    stand.page(&format!("/requests/{id}")).await;
    stand.get("/nowhere/canary-path?canary=query").await;
    stand
        .call(
            http::Request::post("/v1/requests/photo")
                .header("content-type", "image/png")
                .body(photo(&request).into())
                .unwrap(),
        )
        .await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let metrics = stand.get("/metrics").await.text().to_owned();
    assert!(log.contains("203.0.113.0/24") && log.contains("/v1/requests/{id}") && log.contains("unmatched"), "{log}");
    for counted in [
        "sparekey_http_requests_total{method=\"POST\",route=\"/v1/requests\",status=\"202\"}",
        "sparekey_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"}",
        "sparekey_requests_opened_total",
        "sparekey_photos_total{outcome=\"read\"}",
        "sparekey_http_request_seconds_bucket",
    ] {
        assert!(metrics.contains(counted), "{counted}\n{metrics}");
    }
    let digits = sparekey_protocol::digits::encode(&request);
    for secret in [id.as_str(), CODE, "owner@", "203.0.113.9", "canary", &digits[..30], "8312 0947"] {
        assert!(!log.contains(secret), "{secret} in the log:\n{log}");
        assert!(!metrics.contains(secret), "{secret} in the metrics");
    }
}
