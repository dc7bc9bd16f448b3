package render_test

import (
	"io/fs"
	"testing"

	"philipp.info/stackgen/pkg/finding"
)

// A Synapse that lets bots act as a device of their own only when asked is asked, where there are bots.
func TestDeviceMasquerading(t *testing.T) {
	for _, c := range []struct {
		version, bridges string
		want             bool
	}{
		{"v1.136.0", "{signal: {}}", true},
		{"v1.140.0", "{signal: {}}", true},
		{"v1.141.0", "{signal: {}}", false},
		{"v1.157.1", "{signal: {}}", false},
		{"v1.136.0", "{}", false},
	} {
		b := load(t, "stack.yaml", []byte("version: 1\nserver_name: example.org\nauth: {passwords: true}\nsynapse: {version: "+c.version+"}\n"+
			"bridges: "+c.bridges+"\npermissions: {example.org: user}\n"))
		src, err := fs.ReadFile(b.FS(), "config/matrix/homeserver.yaml")
		if err != nil {
			t.Fatal(err)
		}
		f, findings := finding.Parse("homeserver.yaml", src)
		if f == nil {
			t.Fatal(findings)
		}
		if got := f.At("experimental_features", "msc3202_device_masquerading").True(); got != c.want {
			t.Errorf("Synapse %s, bridges %s: device masquerading is %v", c.version, c.bridges, got)
		}
	}
}
