//! A small client that speaks frames and nothing else: no retries, no vault, no mercy. For tests of the relay.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::{CapabilityKey, EXPORTER_LABEL, SessionKey, operation_hash};
use budstikke_proto::descriptor::{Descriptor, relay_id, spki};
use budstikke_proto::frame::{Frame, Kind, class_of};
use budstikke_proto::id::{
    CancelPk, DeleteId, FetchId, Hash, Label, MsgId, NoticeId, RecvId, SendId, Signature, SlotId,
};
use budstikke_proto::limits::{CELL_LEN, TAG_LEN};
use budstikke_proto::op::{BlobHead, ErrorCode, Part, Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::work::{self, Purpose, Solution};
use budstikke_proto::{blob, held, notice, slot};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, Endpoint, RecvStream, SendStream};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, SignatureScheme};

/// Why the relay was not reached or not believed.
#[derive(Debug)]
pub enum RawError {
    /// No connection; the text is quinn's.
    Connect(String),
    /// The stream ended.
    Ended,
    /// The relay answered an error.
    Refused(ErrorCode, u32),
    /// The relay broke the protocol.
    Protocol(&'static str),
}

/// What to change in the handshake.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// Key exchange groups to offer.
    pub groups: Vec<&'static dyn SupportedKxGroup>,
    /// Application protocol to offer.
    pub alpn: &'static [u8],
    /// Between two pings.
    pub pings: Option<Duration>,
}

impl Default for Handshake {
    fn default() -> Self {
        let groups = vec![aws_lc_rs::kx_group::X25519MLKEM768];
        // A client that waits for an answer only learns of a lost relay when it says something.
        Self { groups, alpn: b"h3", pings: Some(Duration::from_secs(1)) }
    }
}

/// One connection, pinned to the relay of its address.
pub struct Raw {
    /// The connection, for tests that misuse it.
    pub connection: Connection,
    endpoint: Endpoint,
    shared: Arc<Shared>,
    /// Whether the endpoint ends with it.
    alone: bool,
}

struct Shared {
    relay: RelayAddress,
    nonce: [u8; 32],
    request: AtomicU64,
}

impl Drop for Raw {
    fn drop(&mut self) {
        if self.alone {
            self.endpoint.close(0u32.into(), b"");
        }
    }
}

impl Raw {
    /// Connects.
    ///
    /// # Errors
    /// [`RawError::Connect`].
    pub async fn connect(address: &RelayAddress) -> Result<Self, RawError> {
        Self::connect_with(address, Handshake::default()).await
    }

    /// Connects with a changed handshake.
    ///
    /// # Errors
    /// [`RawError::Connect`].
    pub async fn connect_with(address: &RelayAddress, how: Handshake) -> Result<Self, RawError> {
        let endpoint = Self::endpoint(address, how)?;
        let mut raw = Self::connect_from(&endpoint, address).await?;
        raw.alone = true;
        Ok(raw)
    }

    /// A socket for any number of connections.
    ///
    /// # Errors
    /// [`RawError::Connect`].
    pub fn endpoint(address: &RelayAddress, how: Handshake) -> Result<Endpoint, RawError> {
        let failed = |error: &dyn std::fmt::Display| RawError::Connect(error.to_string());
        let provider = CryptoProvider { kx_groups: how.groups, ..aws_lc_rs::default_provider() };
        let provider = Arc::new(provider);
        let pinned = Pinned { address: address.clone(), provider: Arc::clone(&provider) };
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| failed(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(pinned))
            .with_no_client_auth();
        tls.alpn_protocols = vec![how.alpn.to_vec()];
        let crypto = QuicClientConfig::try_from(tls).map_err(|error| failed(&error))?;
        let mut config = quinn::ClientConfig::new(Arc::new(crypto));
        let mut transport = quinn::TransportConfig::default();
        transport.keep_alive_interval(how.pings);
        config.transport_config(Arc::new(transport));

        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut endpoint = Endpoint::client(any).map_err(|error| failed(&error))?;
        endpoint.set_default_client_config(config);
        Ok(endpoint)
    }

    /// Connects from a socket that others use too.
    ///
    /// # Errors
    /// [`RawError::Connect`].
    pub async fn connect_from(
        endpoint: &Endpoint,
        address: &RelayAddress,
    ) -> Result<Self, RawError> {
        let failed = |error: &dyn std::fmt::Display| RawError::Connect(error.to_string());
        let ip = address.host.parse().map_err(|_| RawError::Connect("not an IP".into()))?;
        let connection = endpoint
            .connect(SocketAddr::new(ip, address.port), "relay.invalid")
            .map_err(|error| failed(&error))?
            .await
            .map_err(|error| failed(&error))?;
        let mut nonce = [0; 32];
        connection
            .export_keying_material(&mut nonce, EXPORTER_LABEL, &[])
            .map_err(|_| RawError::Protocol("no exporter"))?;
        let request = AtomicU64::new(1);
        let shared = Arc::new(Shared { relay: address.clone(), nonce, request });
        Ok(Self { connection, endpoint: endpoint.clone(), shared, alone: false })
    }

    /// Where this client sends from.
    ///
    /// # Panics
    /// When the socket has no address.
    #[allow(clippy::expect_used, reason = "a test fails loudly")]
    pub fn local_addr(&self) -> SocketAddr {
        self.endpoint.local_addr().expect("a bound socket")
    }

    /// A stream on which nothing was said yet.
    ///
    /// # Errors
    /// [`RawError::Ended`].
    pub async fn bare(&self) -> Result<RawStream, RawError> {
        let (send, recv) = self.connection.open_bi().await.map_err(|_| RawError::Ended)?;
        let shared = Arc::clone(&self.shared);
        Ok(RawStream { send, recv, shared, descriptor: None })
    }

    /// A stream, opened: the relay's hello is checked.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn open(&self) -> Result<RawStream, RawError> {
        let mut stream = self.bare().await?;
        let Response::Hello(hello) = stream.ask(&Request::Open, None, None).await?.last else {
            return Err(RawError::Protocol("no hello"));
        };
        let descriptor = Descriptor::verify(&hello, &self.shared.relay.id, now());
        let descriptor = descriptor.map_err(|_| RawError::Protocol("bad descriptor"))?;
        stream.descriptor = Some(descriptor);
        Ok(stream)
    }
}

/// Unix seconds.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// One stream.
pub struct RawStream {
    /// Towards the relay, for tests that misuse it.
    pub send: SendStream,
    /// From the relay.
    pub recv: RecvStream,
    shared: Arc<Shared>,
    descriptor: Option<Descriptor>,
}

/// All frames that answer one request.
#[derive(Debug)]
pub struct Answer {
    /// Pushes, with their payloads.
    pub pushes: Vec<(Response, Vec<u8>)>,
    /// The last frame; never an error.
    pub last: Response,
}

/// A cell as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its place.
    pub seq: u64,
    /// Its grant's label.
    pub label: Label,
    /// 15,024 bytes.
    pub cell: Vec<u8>,
}

/// A slot entry as it came; both signatures verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub entry: u32,
    /// Its cells.
    pub payloads: Vec<Vec<u8>>,
}

impl RawStream {
    /// What the relay said of itself.
    ///
    /// # Panics
    /// On a stream that was not opened.
    pub fn descriptor(&self) -> &Descriptor {
        match &self.descriptor {
            Some(descriptor) => descriptor,
            None => unreachable_stream(),
        }
    }

    /// A request number that was not used yet.
    pub fn number(&self) -> u64 {
        self.shared.request.fetch_add(1, Ordering::Relaxed)
    }

    /// The request as a frame, with its tag.
    pub fn frame(
        &self,
        number: u64,
        request: &Request,
        key: Option<&CapabilityKey>,
        payload: Option<Vec<u8>>,
    ) -> Frame {
        let mut frame = request.into_frame(number, [0; TAG_LEN], payload);
        if let Some(key) = key {
            let hash = operation_hash(&frame.op, frame.payload.as_deref());
            frame.tag = self.session_key(key).tag(number, &hash);
        }
        frame
    }

    fn session_key(&self, key: &CapabilityKey) -> SessionKey {
        let epoch_pk = self.descriptor().epoch_pk;
        key.agree(&key.public(), &epoch_pk, &self.shared.relay.id).session(&self.shared.nonce)
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// [`RawError::Ended`].
    pub async fn write(&mut self, frame: &Frame) -> Result<(), RawError> {
        let bytes = frame.encode().map_err(|_| RawError::Protocol("own frame"))?;
        self.send.write_all(&bytes).await.map_err(|_| RawError::Ended)
    }

    /// Sends a request and answers its number.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn start(
        &mut self,
        request: &Request,
        key: Option<&CapabilityKey>,
        payload: Option<Vec<u8>>,
    ) -> Result<u64, RawError> {
        let number = self.number();
        let frame = self.frame(number, request, key, payload);
        self.write(&frame).await?;
        Ok(number)
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn next(&mut self) -> Result<(Frame, Response), RawError> {
        let mut first = [0; 1];
        self.recv.read_exact(&mut first).await.map_err(|_| RawError::Ended)?;
        let class = class_of(first[0]).map_err(|_| RawError::Protocol("frame class"))?;
        let mut rest = vec![0; class.frame_len() - 1];
        self.recv.read_exact(&mut rest).await.map_err(|_| RawError::Ended)?;
        let bytes = [first.as_slice(), &rest].concat();
        let frame = Frame::decode(&bytes).map_err(|_| RawError::Protocol("frame"))?;
        let response = Response::decode(&frame.op).map_err(|_| RawError::Protocol("response"))?;
        Ok((frame, response))
    }

    /// Reads a request's answer to its end.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn answer(&mut self, number: u64) -> Result<Answer, RawError> {
        let mut pushes = Vec::new();
        loop {
            let (frame, response) = self.next().await?;
            if frame.request != number {
                return Err(RawError::Protocol("answer to another request"));
            }
            match (frame.kind, frame.payload, response) {
                (Kind::Push, Some(payload), response) => pushes.push((response, payload)),
                (Kind::Response, None, Response::Error { code, retry_after_s }) => {
                    return Err(RawError::Refused(code, retry_after_s));
                }
                (Kind::Response, None, last) => return Ok(Answer { pushes, last }),
                _ => return Err(RawError::Protocol("frame kind")),
            }
        }
    }

    /// Sends a request, reads its answer.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn ask(
        &mut self,
        request: &Request,
        key: Option<&CapabilityKey>,
        payload: Option<Vec<u8>>,
    ) -> Result<Answer, RawError> {
        let number = self.start(request, key, payload).await?;
        self.answer(number).await
    }

    async fn done(
        &mut self,
        request: &Request,
        key: &CapabilityKey,
        payload: Option<Vec<u8>>,
    ) -> Result<(), RawError> {
        match self.ask(request, Some(key), payload).await?.last {
            Response::Done => Ok(()),
            _ => Err(RawError::Protocol("not done")),
        }
    }

    /// Asks for a challenge and solves it.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn work(&mut self, purpose: &Purpose) -> Result<Solution, RawError> {
        let answer = self.ask(&Request::Challenge, None, None).await?.last;
        let Response::Seed { seed, effort, front_door_effort } = answer else {
            return Err(RawError::Protocol("no seed"));
        };
        let effort = match purpose {
            Purpose::FrontDoor(_) => front_door_effort,
            _ => effort,
        };
        work::solve(seed, purpose, effort, 0, || true).ok_or(RawError::Protocol("no solution"))
    }

    /// Makes a mailbox of 30 days.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn create(
        &mut self,
        owner: &CapabilityKey,
        work: Option<Solution>,
    ) -> Result<RecvId, RawError> {
        let request = Request::Create { recv_pk: owner.recv_pk(), ttl_days: 30, work };
        match self.ask(&request, Some(owner), None).await?.last {
            Response::Created { recv_id } => Ok(recv_id),
            _ => Err(RawError::Protocol("not created")),
        }
    }

    /// Makes a grant.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn grant(
        &mut self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        sender: &CapabilityKey,
        label: Label,
        quota: u32,
        work_required: bool,
    ) -> Result<SendId, RawError> {
        let send_pk = sender.send_pk();
        let request = Request::Grant { recv_id, send_pk, label, quota, work_required };
        match self.ask(&request, Some(owner), None).await?.last {
            Response::Granted { send_id } => Ok(send_id),
            _ => Err(RawError::Protocol("not granted")),
        }
    }

    /// Ends a grant.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn revoke(
        &mut self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        send_id: SendId,
    ) -> Result<(), RawError> {
        self.done(&Request::Revoke { recv_id, send_id }, owner, None).await
    }

    /// Sends a cell.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn send(
        &mut self,
        sender: &CapabilityKey,
        send_id: SendId,
        msg_id: MsgId,
        cell: Vec<u8>,
        work: Option<Solution>,
    ) -> Result<(), RawError> {
        self.done(&Request::Send { send_id, msg_id, work }, sender, Some(cell)).await
    }

    /// Leaves a cell to be released at a time (Unix seconds, whole minutes), unless `cancel` cancels it.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn hold(
        &mut self,
        sender: &CapabilityKey,
        send_id: SendId,
        msg_id: MsgId,
        cell: Vec<u8>,
        (release_at, cancel): (i64, &SigningSeed),
    ) -> Result<(), RawError> {
        let cancel_pk = CancelPk::from_bytes(cancel.public());
        let request = Request::Hold { send_id, msg_id, release_at, cancel_pk };
        self.done(&request, sender, Some(cell)).await
    }

    /// Cancels a held cell.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn cancel(
        &mut self,
        key: &SigningSeed,
        send_id: SendId,
        msg_id: MsgId,
    ) -> Result<(), RawError> {
        let signature = held::sign_cancel(key, &send_id, &msg_id);
        match self.ask(&Request::Cancel { send_id, msg_id, signature }, None, None).await?.last {
            Response::Done => Ok(()),
            _ => Err(RawError::Protocol("not done")),
        }
    }

    /// Reads one page; answers its cells, where to go on, and whether more waits.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn read(
        &mut self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        since: u64,
        max: u32,
    ) -> Result<(Vec<Cell>, u64, bool), RawError> {
        let answer = self.ask(&Request::Read { recv_id, since, max }, Some(owner), None).await?;
        let Response::End { next, more } = answer.last else {
            return Err(RawError::Protocol("no end"));
        };
        let cells = answer.pushes.into_iter().map(|(push, cell)| match push {
            Response::Cell { seq, label } => Ok(Cell { seq, label, cell }),
            _ => Err(RawError::Protocol("not a cell")),
        });
        Ok((cells.collect::<Result<_, _>>()?, next, more))
    }

    /// Reads everything.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn read_all(
        &mut self,
        owner: &CapabilityKey,
        recv_id: RecvId,
    ) -> Result<Vec<Cell>, RawError> {
        let (mut all, mut since) = (Vec::new(), 0);
        loop {
            let (cells, next, more) = self.read(owner, recv_id, since, 256).await?;
            all.extend(cells);
            since = next;
            if !more {
                return Ok(all);
            }
        }
    }

    /// Begins a subscription; take what comes with [`RawStream::next_cell`].
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn subscribe(
        &mut self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        since: u64,
    ) -> Result<u64, RawError> {
        self.start(&Request::Subscribe { recv_id, since }, Some(owner), None).await
    }

    /// The next pushed cell.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn next_cell(&mut self) -> Result<Cell, RawError> {
        match self.next().await? {
            (frame, Response::Cell { seq, label }) => {
                Ok(Cell { seq, label, cell: frame.payload.unwrap_or_default() })
            }
            (_, Response::Error { code, retry_after_s }) => {
                Err(RawError::Refused(code, retry_after_s))
            }
            _ => Err(RawError::Protocol("not a cell")),
        }
    }

    /// Deletes up to a place.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn trim(
        &mut self,
        owner: &CapabilityKey,
        recv_id: RecvId,
        upto: u64,
    ) -> Result<(), RawError> {
        self.done(&Request::Trim { recv_id, upto }, owner, None).await
    }

    /// Deletes a mailbox.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn delete(&mut self, owner: &CapabilityKey, id: RecvId) -> Result<(), RawError> {
        self.done(&Request::Delete { recv_id: id }, owner, None).await
    }

    /// Appends to a slot; answers the place. The receipt verifies.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn slot_append(
        &mut self,
        key: &SigningSeed,
        payloads: &[Vec<u8>],
        work: Option<Solution>,
    ) -> Result<u32, RawError> {
        let slot_id = SlotId::from_bytes(key.public());
        let (count, hash) = (count(payloads), hash(payloads));
        let signature = slot::sign_entry(key, count, &hash);
        let number = self.number();
        for (index, payload) in (0u32..).zip(payloads) {
            let part = Part { index, count, signature };
            let work = work.filter(|_| index == 0);
            let request = Request::SlotAppend { slot_id, part, work };
            let frame = self.frame(number, &request, None, Some(payload.clone()));
            self.write(&frame).await?;
        }
        match self.answer(number).await?.last {
            Response::SlotReceipt { slot_id: id, entry, hash: stored, signature }
                if id == slot_id
                    && stored == hash
                    && self.receipt(&id, entry, &hash, &signature) =>
            {
                Ok(entry)
            }
            _ => Err(RawError::Protocol("bad receipt")),
        }
    }

    /// Reads a slot; all signatures verify.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn slot_read(&mut self, slot_id: SlotId) -> Result<Vec<Entry>, RawError> {
        let answer = self.ask(&Request::SlotRead { slot_id }, None, None).await?;
        let mut entries: Vec<Entry> = Vec::new();
        for (push, payload) in answer.pushes {
            let Response::SlotEntry { entry, index, count, signature, receipt } = push else {
                return Err(RawError::Protocol("not a slot entry"));
            };
            if index == 0 {
                entries.push(Entry { entry, payloads: Vec::new() });
            }
            let Some(last) = entries.last_mut() else { return Err(RawError::Protocol("order")) };
            last.payloads.push(payload);
            if index + 1 == count {
                let hash = hash(&last.payloads);
                if !slot::verify_entry(&slot_id, count, &hash, &signature)
                    || !self.receipt(&slot_id, entry, &hash, &receipt)
                {
                    return Err(RawError::Protocol("bad signature"));
                }
            }
        }
        Ok(entries)
    }

    fn receipt(&self, id: &SlotId, entry: u32, hash: &Hash, signature: &Signature) -> bool {
        slot::verify_receipt(&self.descriptor().identity_pk, id, entry, hash, signature)
    }

    /// Publishes a notice.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn notice_put(
        &mut self,
        key: &SigningSeed,
        version: u64,
        content: &[u8],
        work: Option<Solution>,
    ) -> Result<(), RawError> {
        let payloads = notice::to_payloads(content).map_err(|_| RawError::Protocol("content"))?;
        let notice_id = NoticeId::from_bytes(key.public());
        let (count, hash) = (count(&payloads), hash(&payloads));
        let signature = notice::sign(key, version, count, &hash);
        let number = self.number();
        for (index, payload) in (0u32..).zip(payloads) {
            let part = Part { index, count, signature };
            let work = work.filter(|_| index == 0);
            let request = Request::NoticePut { notice_id, version, part, work };
            let frame = self.frame(number, &request, None, Some(payload));
            self.write(&frame).await?;
        }
        match self.answer(number).await?.last {
            Response::Done => Ok(()),
            _ => Err(RawError::Protocol("not done")),
        }
    }

    /// Fetches a notice; its signature verifies.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn notice_get(&mut self, id: NoticeId) -> Result<Option<(u64, Vec<u8>)>, RawError> {
        let answer = self.ask(&Request::NoticeGet { notice_id: id }, None, None).await?;
        let (mut newest, mut payloads) = (None, Vec::new());
        for (push, payload) in answer.pushes {
            let Response::NoticePart { version, count, signature, .. } = push else {
                return Err(RawError::Protocol("not a notice"));
            };
            payloads.push(payload);
            newest = Some((version, count, signature));
        }
        let Some((version, count, signature)) = newest else { return Ok(None) };
        if !notice::verify(&id, version, count, &hash(&payloads), &signature) {
            return Err(RawError::Protocol("bad signature"));
        }
        let content = notice::from_payloads(payloads.iter().map(Vec::as_slice));
        Ok(Some((version, content.map_err(|_| RawError::Protocol("bad notice"))?)))
    }
}

/// Blobs.
impl RawStream {
    /// Writes a blob of one of the three sizes, to live 30 days.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn blob_put(
        &mut self,
        fetch: &CapabilityKey,
        delete: &CapabilityKey,
        content: &[u8],
        work: Option<Solution>,
    ) -> Result<(FetchId, DeleteId), RawError> {
        let (size, payloads) =
            blob::to_payloads(content).map_err(|_| RawError::Protocol("size"))?;
        let hash = blob::hash(payloads.iter().map(Vec::as_slice));
        let (fetch_pk, delete_pk) = (fetch.fetch_pk(), delete.delete_pk());
        let head = BlobHead { fetch_pk, delete_pk, size, ttl_days: 30, hash };
        let number = self.number();
        for (index, payload) in (0u32..).zip(payloads) {
            let work = work.filter(|_| index == 0);
            let request = Request::BlobPut { head, index, work };
            let frame = self.frame(number, &request, Some(delete), Some(payload));
            self.write(&frame).await?;
        }
        match self.answer(number).await?.last {
            Response::BlobStored { fetch_id, delete_id } => Ok((fetch_id, delete_id)),
            _ => Err(RawError::Protocol("not stored")),
        }
    }

    /// Fetches up to `count` payloads from number `first` on; answers them, how many there are, and whether more are
    /// left.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn blob_get(
        &mut self,
        key: &CapabilityKey,
        fetch_id: FetchId,
        first: u32,
        wanted: u32,
    ) -> Result<(Vec<Vec<u8>>, u32, bool), RawError> {
        let request = Request::BlobGet { fetch_id, first, count: wanted };
        let answer = self.ask(&request, Some(key), None).await?;
        let (mut payloads, mut total) = (Vec::new(), 0);
        for (push, payload) in answer.pushes {
            match push {
                Response::BlobPart { index, count: of } if index == first + count(&payloads) => {
                    payloads.push(payload);
                    total = of;
                }
                _ => return Err(RawError::Protocol("not the next part")),
            }
        }
        match answer.last {
            Response::End { next, more } if next == u64::from(first + count(&payloads)) => {
                Ok((payloads, total, more))
            }
            _ => Err(RawError::Protocol("no end")),
        }
    }

    /// Deletes a blob.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn blob_delete(
        &mut self,
        key: &CapabilityKey,
        delete_id: DeleteId,
    ) -> Result<(), RawError> {
        self.done(&Request::BlobDelete { delete_id }, key, None).await
    }
}

/// A cell's worth of bytes that say which cell it is.
pub fn cell(mark: u64) -> Vec<u8> {
    mark.to_be_bytes().into_iter().cycle().take(CELL_LEN).collect()
}

fn count(payloads: &[Vec<u8>]) -> u32 {
    u32::try_from(payloads.len()).unwrap_or(u32::MAX)
}

fn hash(payloads: &[Vec<u8>]) -> Hash {
    slot::payload_hash(payloads.iter().map(Vec::as_slice))
}

#[allow(clippy::panic, reason = "a misuse of this test client")]
fn unreachable_stream() -> ! {
    panic!("the stream was not opened")
}

/// Accepts exactly the certificate key that the address names.
#[derive(Debug)]
struct Pinned {
    address: RelayAddress,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let key: Option<[u8; 32]> = found.as_ref().last_chunk::<32>().copied();
        let pinned = key
            .is_some_and(|key| spki(&key) == found.as_ref() && relay_id(&key) == self.address.id);
        if pinned {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("not the pinned relay".into()))
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
