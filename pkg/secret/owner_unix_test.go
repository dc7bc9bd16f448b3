//go:build unix

package secret

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSaveKeepsOwner: what root writes for a user stays the user's.
func TestSaveKeepsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 12345, 12346); err != nil {
		t.Skipf("chown does not work here: %v", err)
	}
	path := filepath.Join(dir, "secrets.yaml")
	for range 2 { // The first run creates, the second one replaces.
		s, _ := Load(t.Context(), Sources{Path: path}, testNeeds())
		if err := s.Set("smtp.password", "fake-value"); err != nil {
			t.Fatal(err)
		}
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != 12345 || info.Mode() != 0o600 {
			t.Errorf("uid %d, mode %s", st.Uid, info.Mode())
		}
	}
}
