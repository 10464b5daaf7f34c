package sqlserver

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"coffer/internal/rotate/servertest"
)

// peer is the other end of the protocol, TDS 7.4, with scripted answers. It is no server:
// it reads what the driver sends and answers with the tokens of the public description.
type peer struct {
	t         *testing.T
	port      int
	authority *servertest.Authority
	config    *tls.Config // nil for a server without TLS
	login     []answer    // to a login: none for a login that is good
	batch     []answer    // to a batch
	breaks    bool        // hangs up instead of answering a batch
	silent    bool        // never answers

	mu      sync.Mutex
	logins  [][]byte // records LOGIN7
	batches []string
}

// answer is one ERROR token.
type answer struct {
	number int32
	class  byte
	text   string
}

// Types of packets, tokens and options (MS-TDS).
const (
	packetBatch, packetReply, packetLogin, packetPrelogin = 1, 4, 16, 18
	tokenError, tokenLoginAck, tokenDone                  = 0xaa, 0xad, 0xfd
	encryptOff, encryptOn, encryptNotSupported            = 0, 1, 2
)

func newPeer(t *testing.T, protected bool) *peer {
	t.Helper()
	p := &peer{t: t, authority: servertest.NewAuthority(t)}
	if protected {
		certificate, key := p.authority.Issue(t)
		pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		p.config = &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12} // as TDS 7.4 has it
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(30 * time.Second))
				p.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		served.Wait()
	})
	return p
}

// serve plays one connection, to its end.
func (p *peer) serve(c net.Conn) {
	var at io.ReadWriter = c
	for {
		kind, body, err := readPackets(at)
		if err != nil {
			return
		}
		switch kind {
		case packetPrelogin:
			if p.silent {
				_, _ = io.Copy(io.Discard, c)
				return
			}
			writePacket(at, packetReply, p.prelogin())
			if p.config != nil {
				secured := tls.Server(&wrapped{Conn: c, inside: true}, p.config)
				if secured.Handshake() != nil {
					return
				}
				secured.NetConn().(*wrapped).inside = false
				at = secured
			}
		case packetLogin:
			p.note(func() { p.logins = append(p.logins, body) })
			writePacket(at, packetReply, tokens(p.login, len(p.login) == 0))
		case packetBatch:
			text := body[binary.LittleEndian.Uint32(body):] // behind the headers
			p.note(func() { p.batches = append(p.batches, fromUTF16(text)) })
			if p.breaks {
				return
			}
			writePacket(at, packetReply, tokens(p.batch, false))
		}
	}
}

func (p *peer) note(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
}

// prelogin is the answer with the options VERSION and ENCRYPTION.
func (p *peer) prelogin() []byte {
	encryption := byte(encryptNotSupported)
	if p.config != nil {
		encryption = encryptOn
	}
	return []byte{0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0, 0, 0, 0, encryption}
}

// wrapped carries the handshake of TLS in packets of TDS, as long as it goes on.
type wrapped struct {
	net.Conn
	inside bool
	rest   []byte
}

func (w *wrapped) Read(b []byte) (int, error) {
	if !w.inside && len(w.rest) == 0 {
		return w.Conn.Read(b)
	}
	if len(w.rest) == 0 {
		_, body, err := readPackets(w.Conn)
		if err != nil {
			return 0, err
		}
		w.rest = body
	}
	n := copy(b, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

func (w *wrapped) Write(b []byte) (int, error) {
	if !w.inside {
		return w.Conn.Write(b)
	}
	writePacket(w.Conn, packetPrelogin, b)
	return len(b), nil
}

// readPackets reads one message: packets up to the one that is its last.
func readPackets(r io.Reader) (kind byte, body []byte, err error) {
	for {
		var header [8]byte
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return 0, nil, err
		}
		size := int(binary.BigEndian.Uint16(header[2:]))
		if size < len(header) {
			return 0, nil, errors.New("a packet shorter than its header")
		}
		part := make([]byte, size-len(header))
		if _, err := io.ReadFull(r, part); err != nil {
			return 0, nil, err
		}
		kind, body = header[0], append(body, part...)
		if header[1]&1 != 0 {
			return kind, body, nil
		}
	}
}

func writePacket(w io.Writer, kind byte, body []byte) {
	packet := []byte{kind, 1, 0, 0, 0, 0, 1, 0}
	binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)+len(body)))
	_, _ = w.Write(append(packet, body...)) // who has gone away reads nothing
}

// tokens is an answer: errors, or that the login is good, and the end.
func tokens(errs []answer, ack bool) []byte {
	var out bytes.Buffer
	put := func(v any) { _ = binary.Write(&out, binary.LittleEndian, v) }
	for _, e := range errs {
		text := utf16.Encode([]rune(e.text))
		out.WriteByte(tokenError)
		put(uint16(4 + 1 + 1 + 2 + 2*len(text) + 1 + 1 + 4))
		put(e.number)
		out.Write([]byte{1, e.class})
		put(uint16(len(text)))
		put(text)
		out.Write([]byte{0, 0}) // neither server nor procedure
		put(int32(1))
	}
	if ack {
		out.WriteByte(tokenLoginAck)
		put(uint16(1 + 4 + 1 + 4))
		out.Write([]byte{1, 0x74, 0, 0, 4, 0, 16, 0, 0, 0})
	}
	status := uint16(0)
	if len(errs) > 0 {
		status = 2
	}
	out.WriteByte(tokenDone)
	put(status)
	put(uint16(0))
	put(uint64(0))
	return out.Bytes()
}

func fromUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
