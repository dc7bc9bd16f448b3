package compare

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// node is as much of the JSON Schema as leads from one field to the next.
type node struct {
	Ref        string          `json:"$ref"`
	Properties map[string]node `json:"properties"`
	Additional json.RawMessage `json:"additionalProperties"`
	AnyOf      []node          `json:"anyOf"`
}

// What is written to keep the old is something that the spec knows.
func TestKeepIsOfTheSpec(t *testing.T) {
	src, err := os.ReadFile("../../spec/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		node
		Defs map[string]node `json:"$defs"`
	}
	if err := json.Unmarshal(src, &schema); err != nil {
		t.Fatal(err)
	}
	resolve := func(n node) node {
		for n.Ref != "" || len(n.AnyOf) > 0 {
			if n.Ref == "" {
				n = n.AnyOf[len(n.AnyOf)-1] // the form with fields of its own
				continue
			}
			n = schema.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
		}
		return n
	}
	key := regexp.MustCompile(`^\{?([a-z_]+): ?`)
	checked := 0
	for _, v := range append(append([]verdict{}, verdicts...), configured...) {
		text := v.keep
		for _, part := range []struct{ from, to string }{
			{"{section}", strings.NewReplacer("bridge **", "bridges: {signal:", "mas", "auth", "postgres**", "database", "**", "synapse").Replace(v.about)},
			{"{service}", "compose: {extra"},
		} {
			text = strings.ReplaceAll(text, part.from, part.to)
		}
		at, path := schema.node, ""
		for {
			m := key.FindStringSubmatch(text)
			if m == nil {
				break
			}
			at = resolve(at)
			path += "." + m[1]
			next, ok := at.Properties[m[1]]
			switch {
			case ok:
			case string(at.Additional) != "" && string(at.Additional) != "false":
				_ = json.Unmarshal(at.Additional, &next)
			default:
				t.Errorf("%s %s %s: %q, and the spec has no %s", v.about, v.doc, v.key, v.keep, path)
			}
			checked++
			if m[1] == "extra" || m[1] == "permissions" {
				break
			}
			at, text = next, text[len(m[0]):]
		}
	}
	if checked < 30 {
		t.Errorf("only %d fields were looked up", checked)
	}
}
