package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// readTime bounds how long a file may take that looks regular and waits for something to happen, as some of
// /proc do.
const readTime = 10 * time.Second

// ReadFile reads a regular file of at most MaxSize bytes without ever holding more than that, and one byte, in
// memory: Parse refuses what is larger. A pipe, a device, a socket or a directory is not opened; it is an error,
// which names the path.
func ReadFile(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if err := regular(info, path); err != nil {
		return nil, err
	}
	// What has become a pipe since then does not hold up the opening.
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_ = f.SetReadDeadline(time.Now().Add(readTime)) // a file on a disk has none, and needs none
	return readAll(f, path)
}

// ReadFS is ReadFile for a file of fsys.
func ReadFS(fsys fs.FS, path string) ([]byte, error) {
	if info, err := fs.Stat(fsys, path); err != nil {
		return nil, err
	} else if err := regular(info, path); err != nil {
		return nil, err
	}
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path)
}

func readAll(f fs.File, path string) ([]byte, error) {
	if info, err := f.Stat(); err == nil {
		if err := regular(info, path); err != nil {
			return nil, err
		}
	}
	src, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	if bytes.HasPrefix(src, []byte("\x00GITCRYPT\x00")) {
		return nil, &fs.PathError{Op: "read", Path: path, Err: ErrLocked}
	}
	return src, nil
}

// regular is an error for everything that is no file with content of its own.
func regular(info fs.FileInfo, path string) error {
	what := "no regular file"
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "a directory"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe, not a file"
	case mode&fs.ModeSocket != 0:
		what = "a socket, not a file"
	case mode&fs.ModeDevice != 0:
		what = "a device, not a file"
	}
	return fmt.Errorf("read %q: it is %s", path, what)
}

// Beyond reports whether a clean path leads out of all that the file system has: it begins with as many .. as lead there.
func Beyond(fsys fs.FS, name string) bool {
	up := ""
	for rest := name; rest == ".." || strings.HasPrefix(rest, "../"); rest = strings.TrimPrefix(strings.TrimPrefix(rest, ".."), "/") {
		up = strings.TrimPrefix(up+"/..", "/")
	}
	if up == "" {
		return !fs.ValidPath(name)
	}
	_, err := fs.Stat(fsys, up)
	return err != nil
}

// ErrLocked is the error of a file that git-crypt keeps encrypted in a copy without its key.
var ErrLocked = errors.New("encrypted by git-crypt, and not unlocked here")

// Elsewhere is the error of a file that is not here and may lie where the stack runs: By is the script that writes it there, or
// the README that tells people to, "" where git ignores it.
type Elsewhere struct{ By string }

// ErrIgnored is the error of a file that is not there and that git ignores.
var ErrIgnored = Elsewhere{}

func (e Elsewhere) Error() string {
	if e.By != "" {
		verb := " writes it"
		if strings.HasSuffix(e.By, ".md") {
			verb = " has people make it"
		}
		return "not here, and " + e.By + verb + ": it may lie where the stack runs"
	}
	return "not here, and git ignores it: it may lie where the stack runs"
}

// Several is the error of more than one file.
func (e Elsewhere) Several() string {
	return strings.Replace(e.Error(), " it: it ", " them: they ", 1)
}

// MayLie is the error that says that a file may lie elsewhere; ok is false where err is none.
func MayLie(err error) (e Elsewhere, ok bool) { return e, errors.As(err, &e) }

// Real is the name of a file without symbolic links in it, as far as they can be followed within the file system.
func Real(fsys fs.FS, name string) string {
	links := 0
	for at := 0; at < len(name); {
		end := strings.IndexByte(name[at:], '/')
		if end < 0 {
			end = len(name) - at
		}
		target, err := fs.ReadLink(fsys, name[:at+end])
		if err != nil {
			at += end + 1
			continue
		}
		if links++; links > maxLinks || path.IsAbs(target) {
			return name
		}
		name, at = path.Join(path.Dir(name[:at+end]), target, name[at+end:]), 0
	}
	return name
}

// maxLinks is how many symbolic links a path leads through, as the kernel of Linux has it.
const maxLinks = 40

// Escapes reports whether the error is that of an os.Root for a symbolic link that leads out of it; an absolute
// one always does.
func Escapes(err error) bool {
	pathErr := (*fs.PathError)(nil)
	return errors.As(err, &pathErr) && pathErr.Err.Error() == "path escapes from parent"
}

// What is said of a file that cannot be seen.
const (
	// LeadsOut is said of a symbolic link that is not followed: what lies elsewhere on the machine is none of the
	// deployment's, and may be nobody's business.
	LeadsOut = "a symbolic link that leads out of the directory, as every absolute one does"
	// NotRendered is said behind the name of a file that is missing where only what is rendered was looked at.
	NotRendered = " is not rendered, and the directory where it may lie was not looked at"
)

// Cause is what an error of a file system says without the path, which stands beside it.
func Cause(err error) string {
	if inner := errors.Unwrap(err); inner != nil {
		return inner.Error()
	}
	_, msg, _ := strings.Cut(err.Error(), ": ")
	return msg
}

// Quote gives s as a double-quoted YAML scalar that YAML 1.1 readers (PyYAML) and YAML 1.2 readers
// (serde_yaml, Go) take for exactly s. s must be valid UTF-8.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, `\x%02x`, r)
		// What YAML 1.1 takes for a line break, a byte order mark, or not for a character at all.
		case r == 0x2028 || r == 0x2029 || r == 0xfeff || r >= 0xe000 && r <= 0xf8ff || r >= 0xfff0 && r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
