package component

import (
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	const sum = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for s, want := range map[string]Ref{
		"":                                       {},
		"postgres":                               {Repository: "postgres", Tag: "", Digest: ""},
		"postgres:17-alpine":                     {Repository: "postgres", Tag: "17-alpine", Digest: ""},
		"docker.io/library/postgres:17":          {Repository: "docker.io/library/postgres", Tag: "17", Digest: ""},
		"localhost:5000/synapse":                 {Repository: "localhost:5000/synapse", Tag: "", Digest: ""},
		"localhost:5000/synapse:v1.157.1":        {Repository: "localhost:5000/synapse", Tag: "v1.157.1", Digest: ""},
		"postgres@" + sum:                        {Repository: "postgres", Tag: "", Digest: sum},
		"reg.example.org:5000/a/b:v1@" + sum:     {Repository: "reg.example.org:5000/a/b", Tag: "v1", Digest: sum},
		"reg.example.org:5000/a/b@" + sum:        {Repository: "reg.example.org:5000/a/b", Tag: "", Digest: sum},
		"dock.mau.dev/mautrix/meta:ig-v0.2608.0": {Repository: "dock.mau.dev/mautrix/meta", Tag: "ig-v0.2608.0", Digest: ""},
	} {
		got := Parse(s)
		if got != want {
			t.Errorf("Parse(%q) = %+v, want %+v", s, got, want)
		}
		if got.String() != s {
			t.Errorf("Parse(%q) gives back %q", s, got)
		}
	}
}

func TestProgram(t *testing.T) {
	for s, want := range map[string]Program{
		"ghcr.io/element-hq/synapse:v1.157.1":                       Synapse,
		"matrixdotorg/synapse":                                      Synapse,
		"avhost/docker-matrix:v1.135.0":                             Synapse,
		"docker.io/avhost/docker-matrix":                            Synapse,
		"example.org/docker-matrix":                                 Unknown,
		"vectorim/riot-web:v1.7.3":                                  Element,
		"docker.io/vectorim/riot-web":                               Element,
		"example.org/riot-web":                                      Unknown,
		"ghcr.io/element-hq/element-web:v1.12.30":                   Element,
		"ghcr.io/element-hq/matrix-authentication-service:1.22.0":   MAS,
		"postgres:17":                                               Postgres,
		"bitnami/postgresql:17":                                     Postgres,
		"traefik":                                                   Traefik,
		"dock.mau.dev/mautrix/signal:v0.2608.0":                     Signal,
		"dock.mau.dev/mautrix/whatsapp":                             WhatsApp,
		"dock.mau.dev/mautrix/telegram:latest":                      Telegram,
		"reg.example.org:5000/mirror/mautrix-discord":               Discord,
		"dock.mau.dev/mautrix/meta:v0.2608.0":                       Meta,
		"dock.mau.dev/mautrix/meta:ig-v0.2608.0":                    Instagram,
		"reg.example.org:5000/mirror/mautrix/meta:ig-latest@sha256": Instagram,
		"example.org/not-synapse":                                   Unknown,
		"example.org/synapse/admin":                                 Unknown,
		"example.org/signal":                                        Unknown,
		"":                                                          Unknown,
	} {
		if got := Parse(s).Program(); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	for s, want := range map[string]Version{
		"synapse:v1.157.1":                  {1, 157, 1},
		"synapse:v1.157.0rc1-x":             {1, 157, 0},
		"synapse:v1.157.0-rc1":              {1, 157, 0},
		"synapse:20.1":                      {20, 1, 0},
		"matrix-authentication-service:1":   {-1},
		"postgres:17":                       {17, 0, 0},
		"postgres:17-alpine":                {17, 0, 0},
		"postgres:16.4-alpine3.20":          {16, 4, 0},
		"postgres:26.1":                     {26, 1, 0},
		"postgres:alpine":                   {-1},
		"traefik:v3.7":                      {3, 7, 0},
		"mautrix/signal:v0.2608.0":          {0, 2608, 0},
		"mautrix/signal:v26.08":             {0, 2608, 0},
		"mautrix/signal:v26.08.1":           {0, 2608, 1},
		"mautrix/signal:v26.08.1-amd64":     {0, 2608, 1},
		"mautrix/meta:ig-v0.2608.0":         {0, 2608, 0},
		"mautrix/meta:ig-v26.08.1":          {0, 2608, 1},
		"mautrix/telegram:v0.15.3":          {0, 15, 3},
		"example.org/unknown:v26.08.1":      {26, 8, 1},
		"matrixdotorg/synapse:v1.36.0rc1":   {1, 36, 0},
		"matrixdotorg/synapse:v1.36.0src":   {-1},
		"mautrix/signal:latest":             {-1},
		"mautrix/signal":                    {-1},
		"mautrix/signal:main-amd64":         {-1},
		"mautrix/signal:1.2.3.4":            {-1},
		"mautrix/signal:9999999999.1":       {-1},
		"mautrix/signal@sha256:0123456789":  {-1},
		"localhost:5000/mautrix/signal":     {-1},
		"mautrix/signal:c5c5c0c7f1a2-amd64": {-1},
	} {
		got, ok := Parse(s).Version()
		if !ok {
			got = Version{-1}
		}
		if got != want {
			t.Errorf("%q has version %v, want %v", s, got, want)
		}
	}
}

func TestLess(t *testing.T) {
	order := []Version{{0, 15, 3}, {0, 16, 0}, {0, 2604, 0}, {0, 2604, 1}, {1, 0, 0}, {1, 22, 0}, {17, 0, 0}}
	if !slices.IsSortedFunc(order, func(a, b Version) int {
		if a.Less(b) {
			return -1
		}
		return 1
	}) {
		t.Error("not ordered")
	}
	if v := order[0]; v.Less(v) || order[1].Less(v) || v.String() != "0.15.3" {
		t.Error(v)
	}
}

func TestDialect(t *testing.T) {
	for s, want := range map[string]Dialect{
		"mautrix/signal:v0.2608.0":                 BridgeV2,
		"mautrix/signal:latest":                    BridgeV2,
		"mautrix/whatsapp:v26.08":                  BridgeV2,
		"mautrix/meta:v0.2608.0":                   BridgeV2,
		"mautrix/meta:ig-v0.2608.0":                BridgeV2,
		"mautrix/discord:v0.7.7":                   Legacy,
		"mautrix/discord:v0.8.0":                   "",
		"mautrix/discord:latest":                   "",
		"mautrix/telegram:v0.15.3":                 Python,
		"localhost:5000/mautrix/telegram:v0.15.3":  Python,
		"mautrix/telegram:v0.16.0":                 "",
		"mautrix/telegram:v25.11":                  "",
		"mautrix/telegram:v0.2603.0":               "",
		"mautrix/telegram:v0.2604.0":               BridgeV2,
		"mautrix/telegram:v26.04":                  BridgeV2,
		"mautrix/telegram:v26.08.1@sha256:0123456": BridgeV2,
		"mautrix/telegram:latest":                  BridgeV2,
		"mautrix/telegram:main-amd64":              "",
		"mautrix/signal:v0.7.0":                    BridgeV2,
		"mautrix/signal:v0.6.3":                    Legacy,
		"mautrix/signal:v0.4.3":                    OlderPython,
		"mautrix/whatsapp:v0.11.0":                 BridgeV2,
		"mautrix/whatsapp:v0.10.9":                 Legacy,
		"mautrix/meta:v0.4.0":                      BridgeV2,
		"mautrix/meta:v0.3.2":                      Legacy,
		"mautrix/telegram":                         "",
		"synapse:v1.157.1":                         "",
		"example.org/unknown:v1":                   "",
	} {
		got, ok := Parse(s).Dialect()
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%q has dialect %q, want %q", s, got, want)
		}
	}
}

// What stackgen renders by default is what it was tested with: known, new enough, and recognised again.
func TestTested(t *testing.T) {
	for _, c := range All {
		if len(c.Images) == 0 {
			continue
		}
		v, ok := c.Tested.Version()
		if !ok || c.Tested.Program() != c.Program || v.Less(c.Oldest) {
			t.Errorf("%s: %s is taken for %q %v", c.Program, c.Tested, c.Tested.Program(), v)
		}
		if c.Program != Traefik && c.OldestWhy == "" {
			t.Errorf("%s: no oldest version, or no reason for it", c.Program)
		}
	}
}
