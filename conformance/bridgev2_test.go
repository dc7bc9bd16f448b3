package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"gopkg.in/yaml.v3"
	"maunium.net/go/mautrix/appservice"
	"maunium.net/go/mautrix/bridgev2/bridgeconfig"

	"philipp.info/stackgen/pkg/component"
)

// mautrix-go decodes every bridgev2 configuration without an unknown key, and the registration that it
// would make of it is the one that is rendered.
func TestBridgeV2(t *testing.T) {
	version := module(t, "maunium.net/go/mautrix", "mautrix-go")
	eachExample(t, func(t *testing.T, e *example) {
		for _, b := range e.Bridges {
			if b.Dialect != component.BridgeV2 {
				continue
			}
			var cfg bridgeconfig.Config
			var reg appservice.Registration
			decode(t, filepath.Join(e.dir, "config", b.Name, "config.yaml"), &cfg, true)
			// org.matrix.msc4190 is ours alone: mautrix ignores it.
			decode(t, filepath.Join(e.dir, "config", b.Name, "registration.yaml"), &reg, false)
			if cfg.AppService.ASToken != reg.AppToken || cfg.AppService.HSToken != reg.ServerToken {
				t.Errorf("%s: the tokens differ", b.Name)
			}
			theirs := cfg.GenerateRegistration()
			theirs.AppToken, theirs.ServerToken, theirs.SenderLocalpart = reg.AppToken, reg.ServerToken, reg.SenderLocalpart
			if got, want := text(t, &reg), text(t, theirs); got != want {
				t.Errorf("%s: rendered\n%s\nmautrix-go makes\n%s", b.Name, got, want)
			}
			e.accepted(t, version, "config/"+b.Name)
		}
	})
}

func decode(t *testing.T, path string, v any, strict bool) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	dec.KnownFields(strict)
	if err := dec.Decode(v); err != nil {
		t.Errorf("%s: %v", filepath.Base(filepath.Dir(path)), err)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	out, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
