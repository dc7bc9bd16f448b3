package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// program is one whose configuration stackgen writes, checks or reads.
type program struct {
	name string
	ours string // the release that tables and tests go by; empty where there is none yet
	// from gives a release by its version, the newest for ""; nil where no registry has the program.
	from func(ctx context.Context, r *registries, version string) (release, error)
	// files are what read needs of a release, as patterns of path.Match; the first has to be there. read takes the
	// configuration out of them. Without read only versions are compared.
	files []string
	read  func(map[string][]byte) (config, error)
	// table is the file below pkg/component/keys that has what is known, text the same where it stands elsewhere.
	// Without either two releases are compared.
	table, text string
	under       string // where the keys stand in the program's own configuration
	hand        string // where a person looks
}

// appservices is the example that has what is none of our components.
const appservices = "examples/appservices/stack.yaml"

// pins are the versions that stand elsewhere than with the images: the file, and what comes before the version.
var pins = map[string]struct{ file, before string }{
	"mautrix-go":      {"conformance/go.mod", "maunium.net/go/mautrix v"},
	"telegram-python": {"e2e/images/Dockerfile", "mautrix-telegram[e2be]=="},
	"borgmatic":       {"conformance/requirements.txt", "borgmatic=="},
	"keycloak":        {"conformance/run", "keycloak="},
	"compose-go":      {"go.mod", "github.com/compose-spec/compose-go/v2 v"},
	"docker-compose":  {"conformance/compose/go.mod", "github.com/docker/compose/v5 v"},
	"heisenbridge":    {appservices, "docker.io/hif1/heisenbridge\n    version: \""},
	"hookshot":        {appservices, "ghcr.io/matrix-org/matrix-hookshot\n    version: \""},
	"maubot":          {appservices, "dock.mau.dev/maubot/maubot\n    version: v"},
}

// programs lists what is compared, in the order of the report. root is the top of the repository.
func programs(root string) ([]program, error) {
	list := []program{
		{
			name: "synapse", from: pypi("matrix-synapse"), table: "synapse", read: readSynapse,
			files: []string{"docs/usage/configuration/config_documentation.md", "synapse/config/*.py", "synapse/appservice/__init__.py", "CHANGES.md"},
			hand:  "https://github.com/element-hq/synapse/releases, docs/upgrade.md",
		},
		{name: "mas", hand: "https://github.com/element-hq/matrix-authentication-service/releases, docs/config.schema.json"},
		{name: "element", hand: "https://github.com/element-hq/element-web/releases, docs/config.md, apps/web/src/IConfigOptions.ts"},
		{name: "ketesa", hand: "https://github.com/etkecc/ketesa/releases, docs/config.md"},
		{name: "postgres", hand: "https://www.postgresql.org/docs/release/"},
		{
			name: "traefik", from: goModule("github.com/traefik/traefik/v3"), read: readTraefik,
			files: []string{"pkg/config/static/*.go", "pkg/*.go", "pkg/*/*.go", "pkg/*/*/*.go", "pkg/*/*/*/*.go", "CHANGELOG.md"},
			hand:  "https://doc.traefik.io/traefik/migrate/v3/",
		},
		{
			name: "mautrix-go", from: goModule("maunium.net/go/mautrix"), table: "bridgev2", read: readExample,
			files: []string{"bridgev2/matrix/mxmain/example-config.yaml", "bridgev2/matrix/mxmain/*.go", "bridgev2/bridgeconfig/*.go", "CHANGELOG.md"},
			hand:  "https://github.com/mautrix/go/releases",
		},
	}
	for c := range component.Bridges() {
		// One in the images of another is of its source, too.
		if d, _ := c.Tested.Dialect(); d == component.BridgeV2 && c.TagPrefix == "" {
			list = append(list, bridge(c.Program, "pkg/connector", "", c.Bridge.Network, "network."))
		}
	}
	list = append(list,
		bridge(component.Discord, "", "discord", "", ""),
		program{
			name: "telegram-python", from: pypi("mautrix-telegram"), table: "telegram-python", read: readExample,
			files: []string{"mautrix_telegram/example-config.yaml"}, hand: "https://github.com/mautrix/telegram/releases",
		},
		program{
			name: "borgmatic", from: pypi("borgmatic"), table: "borgmatic", read: readSchema,
			files: []string{"borgmatic/config/schema.yaml"}, hand: "https://torsion.org/borgmatic/docs/how-to/upgrade/",
		},
		program{name: "keycloak", from: maven("org.keycloak", "keycloak-quarkus-dist"), hand: "https://www.keycloak.org/docs/latest/upgrading/"},
		program{
			name: "compose-go", from: goModule("github.com/compose-spec/compose-go/v2"), read: readSchema,
			files: []string{"schema/compose-spec.json"}, hand: "https://github.com/compose-spec/compose-go/releases",
		},
		program{name: "docker-compose", from: goModule("github.com/docker/compose/v5"), hand: "https://github.com/docker/compose/releases"},
		program{name: "livekit", from: goModule("github.com/livekit/livekit-server"), hand: "https://github.com/livekit/livekit/releases, config-sample.yaml"},
		program{name: "lk-jwt", hand: "https://github.com/element-hq/lk-jwt-service/releases, README.md"},
		program{name: "valkey", hand: "https://github.com/valkey-io/valkey/releases, 00-RELEASENOTES"},
		program{name: "haproxy", hand: "https://www.haproxy.org/, CHANGELOG of each branch"},
		program{name: "heisenbridge", from: pypi("heisenbridge"), hand: "https://github.com/hifi/heisenbridge/releases"},
		program{name: "hookshot", hand: "https://github.com/matrix-org/matrix-hookshot/releases, config.sample.yml"},
		program{name: "maubot", from: pypi("maubot"), hand: "https://github.com/maubot/maubot/releases"},
		program{name: "coturn", hand: "https://github.com/coturn/coturn/releases, ChangeLog, docker/coturn/CHANGELOG.md"},
	)
	for i := range list {
		p := &list[i]
		p.ours = component.Of(component.Program(p.name)).Tested.Tag
		if pin, ok := pins[p.name]; ok {
			var err error
			if p.ours, err = pinned(root, pin.file, pin.before); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// bridge is a mautrix bridge in Go: its own section stands in the example of its connector.
func bridge(name component.Program, dir, table, text, under string) program {
	return program{
		name: string(name), from: goModule("go.mau.fi/mautrix-" + string(name)), table: table, text: text, under: under, read: readExample,
		files: []string{filepath.ToSlash(filepath.Join(dir, "example-config.yaml")), filepath.ToSlash(filepath.Join(dir, "config.go")), "CHANGELOG.md"},
		hand:  "https://github.com/mautrix/" + string(name) + "/releases, https://mau.dev/mautrix/" + string(name) + "/container_registry",
	}
}

// pinned reads a version out of a file of the repository.
func pinned(root, file, before string) (string, error) {
	src, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`(?m)(?:^|[\s"])` + regexp.QuoteMeta(before) + `([0-9][0-9.]*)`).FindSubmatch(src)
	if m == nil {
		return "", fmt.Errorf("%s: no version after %q", file, before)
	}
	return string(m[1]), nil
}

// known is our table for the program; an absent value where there is none.
func (p program) known(root string) (source.Value, error) {
	path, src := "network of "+p.name, []byte(p.text)
	switch {
	case p.table != "":
		path = keyTable(root, p.table)
		var err error
		if src, err = os.ReadFile(path); err != nil {
			return source.Value{}, err
		}
	case p.text == "":
		return source.Value{}, nil
	}
	f, findings := finding.Parse(path, src)
	if len(findings) > 0 {
		return source.Value{}, fmt.Errorf("%s: %s", path, findings[0].Message)
	}
	return f.Root(), nil
}

// sameVersion compares releases without what a tag has around them.
func sameVersion(a, b string) bool { return bare(a) == bare(b) }

func bare(v string) string { return strings.TrimPrefix(strings.TrimPrefix(v, "ig-"), "v") }
