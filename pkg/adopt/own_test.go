package adopt_test

import (
	"os"
	"strings"
	"testing"
)

// A stack where Synapse logs users in itself is taken over as that.
func TestOwnLogin(t *testing.T) {
	src, err := os.ReadFile("../render/testdata/specs/own-login/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", taken(t, src, nil).Text)
}

// The workers that stackgen rendered are read back, behind whatever proxy.
func TestWorkers(t *testing.T) {
	for _, rest := range []string{
		"synapse: {workers: small}\n",
		"synapse: {workers: one-of-each, service: hs, container_name: hs, user: '1000:1000', networks: [monitoring]}\ningress: {kind: caddy, caddy: {network: proxy}}\n",
		"synapse: {workers: {sync: 2, federation_sender: 3, to_device: 1}}\ningress: {kind: nginx, port: 18000}\nmetrics: true\n",
		"synapse: {workers: {media: 1}, networks: [{name: traefik, aliases: [chat]}]}\n",
		"synapse: {workers: {pusher: 2}}\ningress: {traefik: {managed: true, email: anna@example.org}}\n",
		"synapse: {workers: small}\ningress: {kind: caddy, caddy: {network: caddy, form: labels}}\n",
		"synapse: {workers: small}\ningress: {kind: none}\n",
	} {
		taken(t, []byte("version: 1\nserver_name: example.org\nauth: {passwords: true}\npermissions: {example.org: user}\nbridges: {signal: {}}\n"+rest), nil)
	}
}

// So are the word for a small machine, and the memory that PostgreSQL's settings are made for.
func TestMemory(t *testing.T) {
	for _, rest := range []string{
		"profile: small\n",
		"profile: small\ndatabase: {memory: 1G, extra: {work_mem: 8MB}}\n",
		"profile: small\nauth: {kind: synapse, passwords: true}\n",
		"database: {memory: 8G}\nsynapse: {extra: {database: {args: {cp_max: 120}}}}\n",
	} {
		if !strings.Contains(rest, "auth") {
			rest = "auth: {passwords: true}\n" + rest
		}
		taken(t, []byte("version: 1\nserver_name: example.org\npermissions: {example.org: user}\nbridges: {signal: {}}\n"+rest), nil)
	}
}
