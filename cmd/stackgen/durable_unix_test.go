//go:build unix

package main

import (
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestDurable reads every system call of a run and holds them against what a disk promises when the power fails: the
// content of a file is there once it is synced, its name once its directory is.
func TestDurable(t *testing.T) {
	if !canInject {
		t.Skip("skipped: calls can be traced on linux/amd64 only, this is " + runtime.GOOS + "/" + runtime.GOARCH + "; what a power failure leaves is not proven in this run")
	}
	for _, in := range interruptions {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkshop(t)
			w.spec(in.old)
			if in.old != "" {
				w.render()
			}
			w.spec(in.spec)
			if in.hand != "" {
				w.edit(in.hand)
			}
			d := disk{content: make(map[string]bool), names: make(map[string]bool)}
			for _, c := range w.spoil(0, 0, in.stdin, in.args...) {
				if fault := d.take(c); fault != "" {
					t.Fatal(fault)
				}
			}
			if left := d.unsafe(); len(left) > 0 {
				t.Errorf("at the end this may be lost: %q", left)
			}
			if d.renamed == 0 || d.synced == 0 {
				t.Errorf("%d renames and %d syncs were seen", d.renamed, d.synced)
			}
		})
	}
}

// disk is what may be lost with the power.
type disk struct {
	content         map[string]bool // files that were written and not synced since
	names           map[string]bool // directories with names that were changed and not synced since
	renamed, synced int
}

// take follows a call, and says what is wrong with it.
func (d *disk) take(c call) (fault string) {
	if c.failed {
		return ""
	}
	switch c.name {
	case "openat", "write", "pwrite64", "ftruncate":
		d.content[c.path] = true
	case "fsync", "fdatasync":
		d.synced++
		delete(d.content, c.path)
		delete(d.names, c.path)
	case "mkdirat":
		d.names[filepath.Dir(c.path)] = true
	case "unlinkat":
		delete(d.content, c.path)
		delete(d.names, c.path)                 // a directory
		if !strings.HasSuffix(c.path, ".tmp") { // the next run sweeps one that comes back
			d.names[filepath.Dir(c.path)] = true
		}
	case "renameat", "renameat2", "linkat":
		d.renamed++
		dir := filepath.Dir(c.to)
		for other := range d.names {
			if other != dir {
				fault = c.to + " is new while a power failure may still take names in " + other + " that it counts on"
			}
		}
		if d.content[c.path] {
			fault = c.path + " takes the place of " + c.to + " before it is synced: after a power failure that file is empty"
		}
		delete(d.content, c.path)
		d.names[filepath.Dir(c.path)], d.names[dir] = true, true
	}
	return fault
}

// unsafe names the files and directories of which something may be lost.
func (d *disk) unsafe() []string {
	left := slices.Sorted(maps.Keys(d.content))
	return append(left, slices.Sorted(maps.Keys(d.names))...)
}
