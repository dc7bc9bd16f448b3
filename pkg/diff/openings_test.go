package diff

import (
	"slices"
	"strings"
	"testing"
)

// A port that only this host can ask, as for a proxy on it, is none that the firewall should let through.
func TestOpenings(t *testing.T) {
	const head = composeHead + "  livekit: {image: \"livekit/livekit-server:v1.13.3\", ports: [\"127.0.0.1:8011:7880\", \"[::1]:8011:7880\", {target: 9, published: 8012, host_ip: 127.0.0.1}, "
	for ports, want := range map[string]string{
		"\"7881:7881\", \"0.0.0.0:50000-50010:50000-50010/udp\"]}\n": "7881/tcp (livekit), 50000-50010/udp (livekit)",
		"]}\n": "",
	} {
		e := EffectsOf(Input{Old: Tree{}, New: Tree{"docker-compose.yml": []byte(head + ports)}})
		i := slices.IndexFunc(e.Steps, func(s string) bool { return strings.Contains(s, "firewall") })
		switch {
		case want == "" && i >= 0:
			t.Errorf("%q", e.Steps[i])
		case want != "" && (i < 0 || !strings.HasSuffix(e.Steps[i], ": "+want)):
			t.Errorf("%q, want %s", e.Steps, want)
		}
	}
}
