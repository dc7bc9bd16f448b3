package secret

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/command"
	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
)

// testNeeds has one need of each kind.
func testNeeds() []Need {
	return []Need{
		{Name: "synapse.macaroon", Kind: component.Token},
		{Name: "mas.encryption", Kind: component.Hex32},
		{Name: "mas.rsa", Kind: component.RSAPEM},
		{Name: "mas.ec", Kind: component.ECPEM},
		{Name: "synapse.signing_key", Kind: component.SigningKey},
		{Name: "mas.client_id", Kind: component.ULID},
		{
			Name: "bridges.telegram.api_id", Kind: component.External, Where: "https://my.telegram.org",
			Form: regexp.MustCompile(`^[0-9]+$`), FormHelp: "digits only",
		},
		{
			Name: "bridges.telegram.api_hash", Kind: component.External, Where: "https://my.telegram.org",
			Form: regexp.MustCompile(`^[0-9a-f]{32}$`), FormHelp: "32 hexadecimal digits",
		},
		{Name: "smtp.password", Kind: component.External, Where: "the mail provider"},
	}
}

func runProgram(ctx context.Context, argv []string, dir string, stdin []byte, limit int) ([]byte, error) {
	return command.Command{Argv: argv, Dir: dir, Stdin: stdin}.Output(ctx, limit)
}

// writeFile gives the path of a new file with mode 0600.
func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// texts gives the findings as lines without the directory.
func texts(findings []finding.Finding, dir string) []string {
	out := []string{}
	for _, f := range findings {
		line := f.Severity.String() + ": " + f.Message
		if f.Fix != "" {
			line += " fix: " + f.Fix
		}
		for _, s := range slices.Backward(f.Sites) {
			if s.File != "" {
				note := ""
				if s.Note != "" {
					note = "(" + s.Note + ")"
				}
				line = s.String() + note + ": " + line
			}
		}
		if dir != "" {
			line = strings.ReplaceAll(line, dir+"/", "")
		}
		out = append(out, line)
	}
	return out
}

func environment(kv ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i+1 < len(kv); i += 2 {
			if kv[i] == name {
				return kv[i+1], true
			}
		}
		return "", false
	}
}
