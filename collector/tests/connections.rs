//! The cap on connections: beyond it new ones wait, and are served as soon as one closes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use beaconry_collector::limits::Limits;
use beaconry_collector::server::{self, Collector};
use beaconry_store::{Clock, Store};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Asks for the health on this connection, which stays open, and gives the status line.
fn ask(stream: &mut TcpStream) -> std::io::Result<String> {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")?;
    let mut answer = [0; 15];
    stream.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_the_cap_connections_wait_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Clock::default()).unwrap();
    let limits = Limits { connections: 2, ..Limits::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving =
        tokio::spawn(server::run(listener, Arc::new(Collector::new(store, limits)), async {
            let _ = stopped.await;
        }));
    tokio::task::spawn_blocking(move || {
        let (mut first, mut second, mut third) =
            (connect(address), connect(address), connect(address));
        for stream in [&mut first, &mut second] {
            assert_eq!(ask(stream).unwrap(), "HTTP/1.1 200 OK");
        }
        third.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        assert!(ask(&mut third).is_err(), "served beyond the cap");
        third.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        drop(first);
        let mut answer = [0; 15];
        third.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    })
    .await
    .unwrap();
    stop.send(()).unwrap();
    serving.await.unwrap();
}
