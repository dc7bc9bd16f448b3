package source

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

// JSON gives the document as JSON text, indented by two blanks, with its keys in their order. The error says which value
// JSON has no word for, such as .inf.
func (f *File) JSON() ([]byte, error) {
	var out bytes.Buffer
	if err := f.Root().json(&out, "\n"); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func (v Value) json(out *bytes.Buffer, line string) error {
	inner := line + "  "
	between := func(i int, open byte) {
		if i > 0 {
			open = ','
		}
		out.WriteByte(open)
		out.WriteString(inner)
	}
	i := 0
	switch v.Kind() {
	case Mapping:
		for k, val := range v.Entries() {
			between(i, '{')
			i++
			if k.Kind() != Scalar || quoteJSON(out, k.Str()) != nil {
				return fmt.Errorf("a key of %s cannot stand in JSON", cmp.Or(v.Path(), "the document"))
			}
			out.WriteString(": ")
			if err := val.json(out, inner); err != nil {
				return err
			}
		}
		return closed(out, i, line, "{}")
	case Sequence:
		for _, item := range v.Items() {
			between(i, '[')
			i++
			if err := item.json(out, inner); err != nil {
				return err
			}
		}
		return closed(out, i, line, "[]")
	}
	if err := quoteJSON(out, v.Any()); err != nil {
		return fmt.Errorf("%s cannot stand in JSON", v.Path())
	}
	return nil
}

func closed(out *bytes.Buffer, items int, line, brackets string) error {
	if items == 0 {
		out.WriteString(brackets)
		return nil
	}
	out.WriteString(line)
	out.WriteByte(brackets[1])
	return nil
}

// quoteJSON leaves <, > and & as they are: the text is no part of a page.
func quoteJSON(out *bytes.Buffer, val any) error {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(val); err != nil {
		return err
	}
	out.WriteString(strings.TrimSuffix(text.String(), "\n"))
	return nil
}
