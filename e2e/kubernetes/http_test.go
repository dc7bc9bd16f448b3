package kubernetes

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// answer is what an HTTP server said.
type answer struct {
	status int
	body   map[string]any
	text   string
}

func (a answer) str(key string) string {
	text, _ := a.body[key].(string)
	return text
}

// ask sends a request from the node. The public hosts are looked for at Traefik, whose certificate has to be right; every other host is a
// Service of the stack.
func (s *stack) ask(t *testing.T, method, url, token string, body any) answer {
	t.Helper()
	a, err := s.tryAsk(t, method, url, token, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return a
}

func (s *stack) tryAsk(t *testing.T, method, url, token string, body any) (a answer, err error) {
	t.Helper()
	var src io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return a, err
		}
		src = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, src)
	if err != nil {
		return a, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := s.client(t).Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return a, err
	}
	a = answer{status: res.StatusCode, text: s.mask(string(text))}
	_ = json.Unmarshal(text, &a.body) // not everything is JSON
	return a, nil
}

func (s *stack) client(t *testing.T) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	for _, name := range []string{filepath.Join(stackDir(), "ca.crt"), cl.pki("ca.crt")} {
		ca, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		roots.AppendCertsFromPEM(ca)
	}
	return &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: roots},
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				host, port, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				if strings.HasSuffix(host, serverName) {
					host = proxyIP
				} else if host, err = s.address(host); err != nil {
					return nil, err
				}
				return cl.dial(ctx, network, net.JoinHostPort(host, port))
			},
		},
	}
}
