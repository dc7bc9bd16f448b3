//go:build unix

package store

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReplaceKeepsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root can give files away")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := os.WriteFile(path, []byte("one"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 12345, 12346); err != nil {
		t.Skipf("skipped: chown does not work here: %v", err)
	}
	if err := Replace(t.Context(), dir, []Content{{Path: "x", Old: []byte("one"), New: []byte("two")}}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !ownedBy(info, 12345, 12346) || info.Mode() != 0o640 {
		t.Errorf("%+v, mode %v", info.Sys(), info.Mode())
	}
}

func TestReplaceOpensNoPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "x"), 0o600); err != nil {
		t.Skipf("skipped: no pipe can be made here: %v", err)
	}
	err := Replace(t.Context(), dir, []Content{{Path: "x", Old: []byte("one"), New: []byte("two")}})
	if err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Error(err)
	}
}
