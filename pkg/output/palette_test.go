package output

import (
	"bytes"
	"os"
	"testing"
)

func TestColorFor(t *testing.T) {
	type env map[string]string
	for _, tt := range []struct {
		name, mode string
		env        env
		want       bool
	}{
		{"always", "always", env{"NO_COLOR": "1", "TERM": "dumb"}, true},
		{"never", "never", env{"CLICOLOR_FORCE": "1"}, false},
		{"auto into a buffer", "auto", nil, false},
		{"forced", "auto", env{"CLICOLOR_FORCE": "1"}, true},
		{"forced, dumb", "auto", env{"CLICOLOR_FORCE": "1", "TERM": "dumb"}, true},
		{"not forced", "auto", env{"CLICOLOR_FORCE": "0"}, false},
		{"NO_COLOR wins", "auto", env{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, false},
		{"an empty NO_COLOR does not count", "auto", env{"CLICOLOR_FORCE": "1", "NO_COLOR": ""}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			get := func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok }
			if got := ColorFor(&bytes.Buffer{}, tt.mode, get); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestColorForFileIsNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if ColorFor(Product(f), "auto", func(string) (string, bool) { return "", false }) {
		t.Error("a regular file got colours")
	}
}

// A pseudo-terminal is a terminal, unless the environment says otherwise.
func TestColorForTerminal(t *testing.T) {
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	defer pty.Close()
	none := func(string) (string, bool) { return "", false }
	if !ColorFor(Product(pty), "auto", none) {
		t.Error("a terminal got no colours")
	}
	for name, value := range map[string]string{"TERM": "dumb", "CLICOLOR": "0", "NO_COLOR": "1"} {
		get := func(n string) (string, bool) { return value, n == name }
		if ColorFor(Product(pty), "auto", get) {
			t.Errorf("%s=%s: the terminal got colours", name, value)
		}
	}
}
