package source

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// ReadFile reads a file of at most MaxSize bytes without ever holding more than that in memory.
// The error names the path.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path)
}

// ReadFS is ReadFile for a file of fsys.
func ReadFS(fsys fs.FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path)
}

func readAll(f fs.File, path string) ([]byte, error) {
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("read %q: it is a directory", path)
	}
	src, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return src, nil
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
