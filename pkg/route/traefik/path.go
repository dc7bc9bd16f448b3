package traefik

import (
	"net/url"
	"strings"
)

// reserved are the characters whose escapes stand as they are in the path that rules see: RFC 3986's
// reserved ones and the percent sign. Since 3.4.1 the entrypoint turns escapes into upper case before.
const reserved = ":/?#[]@!$&'()*+,;=%"

// routingPath decodes all other escapes of an escaped path.
func routingPath(escaped string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(escaped); i++ {
		if escaped[i] != '%' {
			b.WriteByte(escaped[i])
			continue
		}
		if i+2 >= len(escaped) {
			return "", url.EscapeError(escaped[i:])
		}
		code := strings.ToUpper(escaped[i : i+3])
		c, err := url.PathUnescape(code)
		if err != nil {
			return "", err
		}
		if strings.Contains(reserved, c) {
			c = code
		}
		b.WriteString(c)
		i += 2
	}
	return b.String(), nil
}
