package conformance

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mailServer is an SMTP server on the loopback. It begins with TLS, or offers STARTTLS, or neither.
type mailServer struct {
	net.Listener
	config        *tls.Config
	implicit, upg bool
	talk          chan string
}

func newMailServer(t *testing.T, mode, caFile string) *mailServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IsCA: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &mailServer{
		Listener: l, config: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		implicit: mode == "tls", upg: mode == "starttls", talk: make(chan string, 1),
	}
	go func() {
		if conn, err := l.Accept(); err == nil {
			s.talk <- s.serve(conn)
		}
	}()
	return s
}

// serve gives what the client said, each line after "plain" or "TLS".
func (s *mailServer) serve(conn net.Conn) string {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	secure := "plain"
	if s.implicit {
		conn, secure = tls.Server(conn, s.config), "TLS"
	}
	var said strings.Builder
	in := bufio.NewReader(conn)
	say := func(lines ...string) { _, _ = fmt.Fprint(conn, strings.Join(lines, "\r\n")+"\r\n") }
	say("220 localhost ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return said.String()
		}
		said.WriteString(secure + " " + line)
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); {
		case verb == "EHLO" && secure == "TLS":
			say("250-localhost", "250 AUTH PLAIN")
		case verb == "EHLO" && s.upg:
			say("250-localhost", "250 STARTTLS")
		case verb == "STARTTLS":
			say("220 go on")
			conn, secure = tls.Server(conn, s.config), "TLS"
			in = bufio.NewReader(conn)
		case verb == "AUTH" && len(strings.Fields(line)) < 3:
			say("334 ")
			answer, _ := in.ReadString('\n')
			said.WriteString(secure + " " + answer)
			say("235 welcome")
		case verb == "AUTH":
			say("235 welcome")
		case verb == "DATA":
			say("354 go on")
			for line != ".\r\n" && err == nil {
				line, err = in.ReadString('\n')
				said.WriteString(secure + " " + line)
			}
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return said.String()
		default:
			say("250 fine")
		}
	}
}

// sendMail has Synapse's own code send a mail by the configuration.
const sendMail = `import sys
from twisted.internet import reactor, defer
from synapse.config.homeserver import HomeServerConfig
from synapse.handlers.send_email import SendEmailHandler

config = HomeServerConfig.load_config("", ["-c", sys.argv[1]])
assert config.email.email_enable_notifs

class HomeServer:
    def get_reactor(self): return reactor
HomeServer.config = config

async def send():
    try:
        await SendEmailHandler(HomeServer()).send_email("anna@example.org", "Subject", "Matrix", "<b>hello</b>", "hello")
        print("sent")
    except Exception as e:
        print("failed", type(e).__name__)
    reactor.stop()

reactor.callWhenRunning(lambda: defer.ensureDeferred(send()))
reactor.run()
`

// Synapse sends through a server of each mode as email says, gives its password only over TLS, and sends nothing
// where starttls finds no TLS.
func TestSynapseSendsMail(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	for _, tt := range []struct {
		mode, server, user string
		sent               bool
		want               []string
	}{
		{"starttls", "starttls", "matrix", true, []string{"plain STARTTLS", "TLS MAIL FROM:<m@example.org>", "TLS From: =?utf-8?"}},
		{"tls", "tls", "matrix", true, []string{"TLS EHLO", "TLS MAIL FROM:<m@example.org>"}},
		{"plain", "plain", "", true, []string{"plain MAIL FROM:<m@example.org>", "plain From: =?utf-8?"}},
		{"starttls", "plain", "", false, nil},
	} {
		t.Run(tt.mode+" at "+tt.server, func(t *testing.T) {
			ca := filepath.Join(t.TempDir(), "ca.pem")
			s := newMailServer(t, tt.server, ca)
			_, port, _ := net.SplitHostPort(s.Addr().String())
			user := ""
			if tt.user != "" {
				user = ", user: " + tt.user
			}
			dir := renderAll(t, "version: 1\nserver_name: example.org\nauth: {passwords: true}\nemail: {host: localhost, port: "+port+
				", mode: "+tt.mode+user+", from: Mätrix <m@example.org>}\n")
			container(t, dir)
			cmd := exec.CommandContext(t.Context(), bin, "-c", sendMail, filepath.Join(dir, "config", "matrix", "homeserver.yaml"))
			cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+ca)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if sent := strings.Contains(string(out), "sent"); sent != tt.sent {
				t.Fatalf("sent: %v\n%s", sent, out)
			}
			said := ""
			select {
			case said = <-s.talk:
			case <-time.After(time.Minute):
				t.Fatal("the conversation does not end")
			}
			for _, want := range tt.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in\n%s", want, said)
				}
			}
			login := base64.StdEncoding.EncodeToString([]byte("\x00matrix\x00placeholder-email-password"))
			if given := strings.Contains(said, login); given != (tt.user != "") || strings.Contains(said, "plain AUTH") {
				t.Errorf("the password is given: %v\n%s", given, said)
			}
		})
	}
	accepted(t, "Synapse "+output(t, bin, "-c", "import synapse; print(synapse.__version__.split()[0])"), "sends mail in each mode of email")
}
