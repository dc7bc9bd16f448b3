package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON gives v as one line of JSON, or as several with that indent, in which < and & stay readable and
// nothing is left that a terminal would act on.
func JSON(v any, indent string) ([]byte, error) {
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return []byte(logCommandJSON.Replace(string(asciiControls(raw.Bytes())))), nil
}

// What logCommand spells out is spelled as JSON here, before Writer could do it in a way that no decoder takes.
var logCommandJSON = strings.NewReplacer("##[", `#\u0023[`, "##vso[", `#\u0023vso[`)

// asciiControls writes what a terminal would act on as JSON escapes, which changes nothing for a decoder.
func asciiControls(json []byte) []byte {
	out := make([]byte, 0, len(json))
	for _, r := range string(json) {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
