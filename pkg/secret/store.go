package secret

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// store hands the text that the command printed, with what changed in it, to the command that stores it, and
// believes it only when the first one prints the new text's values back. Otherwise the old store is put back.
func (s *Set) store(ctx context.Context) error {
	lock := flock.New(cmp.Or(s.src.Dir, "."), flock.SetFlag(os.O_RDONLY))
	wait, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	// Where a directory cannot be locked, ErrChanged is what is left.
	if _, err := lock.TryLockContext(wait, lockTimeout/100); errors.Is(err, context.DeadlineExceeded) {
		return errors.New("another stackgen is storing secrets")
	}
	defer lock.Unlock() //nolint:errcheck // The lock ends with the process at the latest.

	if !s.ran {
		return fmt.Errorf("store secrets: `%s` was not asked what is in the store, and what is in it would be lost", program(s.src.Command))
	}
	now, err := s.print(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("store secrets: `%s` %w; nothing was changed", program(s.src.Command), err)
	case !bytes.Equal(now, s.printed):
		return fmt.Errorf("store secrets with `%s`: %w", program(s.src.Store), ErrChanged)
	}
	old := s.printed
	if f, _ := source.Parse("", old); f.Root().Kind() == source.Mapping && len(keysOf(f.Root())) == 0 {
		old = nil // an empty store, which is written as {}
	}
	text, err := edit(old, s.changes())
	if err != nil {
		return fmt.Errorf("change what `%s` prints: %w", program(s.src.Command), err)
	}
	before := s.snapshot()
	copies := s.keepCopies(before)
	_, err = s.run(ctx, s.src.Store, text)
	if err != nil {
		err = fmt.Errorf("`%s` %w", program(s.src.Store), because(s.src.Store, s.src.Dir, err))
	} else {
		err = s.readBack(ctx, text)
	}
	if err != nil {
		return fmt.Errorf("store secrets: %w; %s", err, s.restore(ctx, before, copies))
	}
	removeAll(copies)
	s.printed, s.pending = text, nil
	if out, err := s.print(ctx); err == nil {
		s.printed = out
	}
	return nil
}

func keysOf(v source.Value) []string {
	var keys []string
	for k := range v.Entries() {
		keys = append(keys, k.Str())
	}
	return keys
}

func (s *Set) changes() []entry {
	changes := make([]entry, 0, len(s.pending))
	for _, name := range s.pending {
		changes = append(changes, entry{name, s.values[name].value})
	}
	return changes
}

func (s *Set) run(ctx context.Context, argv []string, stdin []byte) ([]byte, error) {
	return s.src.Run(ctx, argv, s.src.Dir, stdin, source.MaxSize)
}

func (s *Set) print(ctx context.Context) ([]byte, error) {
	out, err := s.run(ctx, s.src.Command, nil)
	return out, because(s.src.Command, s.src.Dir, err)
}

// readBack asks for the secrets again and compares them with the text that was stored.
func (s *Set) readBack(ctx context.Context, text []byte) error {
	out, err := s.print(ctx)
	if err != nil {
		return fmt.Errorf("after it, `%s` %w", program(s.src.Command), err)
	}
	want, _ := source.Parse("", text)
	got, problems := source.Parse("", out)
	if problems != nil || got.Root().Kind() != source.Mapping || len(keysOf(want.Root())) != len(keysOf(got.Root())) {
		return fmt.Errorf("after it, `%s` prints other secrets than were stored", program(s.src.Command))
	}
	for k, v := range want.Root().Entries() {
		if now := got.At(k.Str()); now.Kind() != v.Kind() || now.Str() != v.Str() {
			return fmt.Errorf("after it, `%s` does not print %s as it was stored", program(s.src.Command), showName(k.Str()))
		}
	}
	return nil
}

// kept is a file that a word of the commands names, as it was before.
type kept struct {
	word string
	path string
	text []byte
	info os.FileInfo
}

// snapshot keeps the files that are words of the two commands: the store, where that is a file. A command that
// fails may have emptied it, as the redirection of a shell does before anything else.
func (s *Set) snapshot() []kept {
	var files []kept
	seen := make(map[string]bool)
	for _, word := range append(append([]string{}, s.src.Command...), s.src.Store...) {
		path := word
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.src.Dir, path)
		}
		path, err := filepath.EvalSymlinks(path)
		if err != nil || seen[path] {
			continue
		}
		seen[path] = true
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() > source.MaxSize {
			continue
		}
		if text, err := source.ReadFile(path); err == nil {
			files = append(files, kept{word, path, text, info})
		}
	}
	return files
}

// restore brings the store back to what it was, and says what became of it.
func (s *Set) restore(ctx context.Context, files []kept, copies []string) string {
	ctx = context.WithoutCancel(ctx)
	for _, f := range files {
		if now, err := source.ReadFile(f.path); err == nil && bytes.Equal(now, f.text) {
			continue
		}
		temp, err := writeTemp(f.path, f.text, f.info)
		if err != nil {
			continue
		}
		_ = os.Chmod(temp, f.info.Mode().Perm())
		if os.Rename(temp, f.path) != nil {
			os.Remove(temp) //nolint:errcheck // What matters is asked below.
		}
	}
	asBefore := func() bool {
		out, err := s.print(ctx)
		return err == nil && bytes.Equal(out, s.printed)
	}
	if asBefore() {
		removeAll(copies)
		return "the store holds what it held before"
	}
	if _, err := s.run(ctx, s.src.Store, s.printed); err == nil && asBefore() {
		removeAll(copies)
		return "the store holds what it held before"
	}
	from := "git or a backup"
	if len(copies) > 0 {
		from = shell.Paths(copies...)
	}
	return fmt.Sprintf("`%s` no longer prints what it printed before: restore the store from %s before anything else", program(s.src.Command), from)
}
