package spec

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
)

var update = flag.Bool("update", false, "write schema.json anew")

func makeSchema(t *testing.T) []byte {
	t.Helper()
	r := &jsonschema.Reflector{
		FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, ExpandedStruct: true, Anonymous: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch t {
			case reflect.TypeFor[Extra]():
				return &jsonschema.Schema{Type: "object"}
			case reflect.TypeFor[Text]():
				return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
			case reflect.TypeFor[Workers]():
				return workersSchema()
			case reflect.TypeFor[SecretOrigin]():
				return &jsonschema.Schema{Type: "string", Enum: []any{"token", "rsa", "given"}}
			case reflect.TypeFor[Permission]():
				return &jsonschema.Schema{Type: "string", Enum: []any{"block", "relay", "user", "admin"}}
			}
			return nil
		},
	}
	if err := r.AddGoComments("philipp.info/stackgen/pkg/spec", "./"); err != nil {
		t.Fatal(err)
	}
	s := r.Reflect(&Spec{})
	s.Title = "stackgen spec"
	if bridges, ok := s.Properties.Get("bridges"); ok {
		var names []any
		for _, n := range BridgeNames() {
			names = append(names, n)
		}
		bridges.PropertyNames = &jsonschema.Schema{Enum: names}
		// `signal:` with nothing behind it is a bridge with all defaults.
		bridges.AdditionalProperties = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{bridges.AdditionalProperties, {Type: "null"}}}
	}
	for t, field := range short {
		section := s.Definitions[t.Name()]
		text, _ := section.Properties.Get(field)
		s.Definitions[t.Name()] = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{section, {Type: "string", Pattern: text.Pattern}}}
	}
	if auth, ok := s.Properties.Get("auth"); ok {
		ref := *auth
		*auth = jsonschema.Schema{Description: auth.Description, AnyOf: []*jsonschema.Schema{{Const: ownLogin}, {Ref: ref.Ref}}}
	}
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// workersSchema has the words of the sets, and the kinds.
func workersSchema() *jsonschema.Schema {
	var sets []any
	for _, name := range workerSets() {
		sets = append(sets, name)
	}
	kinds := jsonschema.NewProperties()
	for _, k := range component.WorkerKinds {
		most := maxWorkers
		if k.Single != "" {
			most = 1
		}
		kinds.Set(k.Name, &jsonschema.Schema{Type: "integer", Description: "Processes for " + k.Does + ".", Minimum: json.Number("1"), Maximum: json.Number(strconv.Itoa(most))})
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Enum: sets}, {Type: "object", Properties: kinds, AdditionalProperties: jsonschema.FalseSchema}}}
}

// The committed schema is the one that the types give.
func TestSchema(t *testing.T) {
	got := makeSchema(t)
	if *update {
		if err := os.WriteFile("schema.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(Schema()), string(got)); diff != "" {
		t.Errorf("schema.json is stale; run make generate:\n%s", diff)
	}
}

func compiled(t *testing.T) *validator.Schema {
	t.Helper()
	doc, err := validator.UnmarshalJSON(bytes.NewReader(makeSchema(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	if err := c.AddResource("spec.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("spec.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instance(t *testing.T, name string, src []byte) any {
	t.Helper()
	f, findings := finding.Parse(name, src)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	text, err := json.Marshal(f.Root().Any())
	if err != nil {
		t.Fatal(err)
	}
	v, err := validator.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What the command accepts, the editor does not underline.
func TestSchemaAcceptsExamples(t *testing.T) {
	s := compiled(t)
	paths, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatalf("examples: %v %v", paths, err)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(instance(t, path, src)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The word and the mapping that it stands for are one spec, to the editor as to the command.
func TestAuthSynapse(t *testing.T) {
	schema := compiled(t)
	var both []Auth
	for _, auth := range []string{"synapse", "{kind: synapse, passwords: true}"} {
		src := []byte("version: 1\nserver_name: example.org\nauth: " + auth + "\n")
		if err := schema.Validate(instance(t, "stack.yaml", src)); err != nil {
			t.Error(err)
		}
		s, findings := Parse("stack.yaml", src)
		if s == nil || len(findings) > 0 {
			t.Fatal(findings)
		}
		both = append(both, s.Auth)
	}
	if diff := cmp.Diff(both[0], both[1]); diff != "" {
		t.Error(diff)
	}
	for _, auth := range []string{"mas", "passwords", "[synapse]"} {
		src := []byte("version: 1\nserver_name: example.org\nauth: " + auth + "\n")
		if schema.Validate(instance(t, "stack.yaml", src)) == nil {
			t.Errorf("the schema accepts %q", auth)
		}
		if _, findings := Parse("stack.yaml", src); !finding.HasErrors(findings) {
			t.Errorf("Load accepts %q", auth)
		}
	}
}

// What the editor can see to be wrong, it underlines, and so does the command.
func TestSchemaRefusesWhatLoadRefuses(t *testing.T) {
	s := compiled(t)
	base := "version: 1\nserver_name: example.org\nauth: {passwords: true}\n"
	for _, extra := range []string{
		"brigdes: {}", "bridges: {singal: {}}", "bridges: {signal: {port: 0}}", "synapse: {max_upload_size: big}",
		"ingress: {apex: {well_known: both}}", "permissions: {example.org: king}", "bridges: {signal: {encryption: maybe}}", "database: {names: {synapse: a b}}", "synapse: {data: '~/matrix'}", "synapse: {data: {path: a:b}}",
		"synapse: {workers: large}", "synapse: {workers: {sink: 1}}", "synapse: {workers: {sync: 0}}", "synapse: {workers: {typing: 2}}", "synapse: {workers: {sync: many}}", "synapse: {workers: true}",
	} {
		src := []byte(base + extra + "\n")
		if s.Validate(instance(t, "stack.yaml", src)) == nil {
			t.Errorf("the schema accepts %q", extra)
		}
		if _, findings := Parse("stack.yaml", src); !finding.HasErrors(findings) {
			t.Errorf("Load accepts %q", strings.TrimSpace(extra))
		}
	}
}
