package nginx

import (
	"fmt"
	"strings"
)

// normal gives the path that locations are compared with: decoded, without . and .., with slashes merged. It is refused
// where nginx answers 400 (src/http/ngx_http_parse.c, ngx_http_parse_complex_uri).
func normal(escaped string, merge bool) (string, bool) {
	escaped, _, _ = strings.Cut(escaped, "#")
	var segments []string // each but the first follows a slash
	var b strings.Builder
	literal := false // the segment holds what may not be taken for a dot
	end := func(last bool) bool {
		seg := b.String()
		b.Reset()
		switch {
		case seg == "." && !literal:
			if last {
				segments = append(segments, "")
			}
		case seg == ".." && !literal:
			if len(segments) == 0 {
				return false
			}
			segments = segments[:len(segments)-1]
			if last {
				segments = append(segments, "")
			}
		case seg == "" && merge && !last:
		default:
			segments = append(segments, seg)
		}
		literal = false
		return true
	}
	for i := 1; i <= len(escaped); i++ {
		if i == len(escaped) {
			return "/" + strings.Join(segmentsWith(&segments, end), "/"), segments != nil
		}
		c := escaped[i]
		switch {
		case c == '%':
			if i+2 >= len(escaped) {
				return "", false
			}
			hi, lo := unhex(escaped[i+1]), unhex(escaped[i+2])
			if hi < 0 || lo < 0 {
				return "", false
			}
			c = byte(hi<<4 | lo)
			i += 2
			if c == 0 {
				return "", false
			}
			if c == '/' {
				if !end(false) {
					return "", false
				}
				continue
			}
			b.WriteByte(c)
		case c == '/':
			if !end(false) {
				return "", false
			}
		case c < 0x20 || c == 0x7f || c == ' ':
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return "/", true
}

// segmentsWith ends the last segment; nil where that leads above the root.
func segmentsWith(segments *[]string, end func(bool) bool) []string {
	if !end(true) {
		*segments = nil
	}
	return *segments
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20) - 'a' + 10
	}
	return -1
}

// escape writes a path as it stands in a request to another server.
func escape(p string) string {
	var b strings.Builder
	for i := range len(p) {
		if c := p[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte("\"#%<>?\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(p[i])
	}
	return b.String()
}
