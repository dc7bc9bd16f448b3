package spec

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// decoder fills Go values from YAML by the yaml and jsonschema tags of their types, and collects every
// problem. It is not yaml.v3's decoder because that one stops at the first problem, names no column, and
// turns numbers into strings without a word.
type decoder struct {
	findings []finding.Finding
	// bad are the paths of the values that could not be read, around the paths of what holds them. What
	// validate says about such a value, or about one around or in it, would only repeat the problem or be
	// wrong.
	bad, around map[string]bool
	// No check depends on what is laid onto the rendered files.
	inExtra, validating bool
}

func (d *decoder) fail(v source.Value, msg, fix string, others ...source.Site) {
	if d.validating && d.unread(v.Keys()) {
		return
	}
	d.findings = append(d.findings, finding.Finding{
		Rule: "spec", Severity: finding.Error, Message: msg, Fix: fix, Sites: append([]source.Site{v.Site("")}, others...),
	})
	if !d.validating && !d.inExtra {
		keys := v.Keys()
		d.bad[joined(keys)] = true
		for i := range keys {
			d.around[joined(keys[:i])] = true
		}
	}
}

// joined makes a path a map key; a dot would not do, for keys may hold dots.
func joined(path []string) string { return strings.Join(path, "\x00") }

// unread tells whether the decoder has complained of the value at path, of one around it or of one in it.
func (d *decoder) unread(path []string) bool {
	for i := 1; i <= len(path); i++ {
		if d.bad[joined(path[:i])] {
			return true
		}
	}
	return d.around[joined(path)]
}

// short are the sections for which one text may stand, and the field that it is.
var short = map[reflect.Type]string{reflect.TypeFor[DatabaseName](): "name", reflect.TypeFor[Data](): "path", reflect.TypeFor[Namespace](): "regex", reflect.TypeFor[Network](): "name"}

func (d *decoder) value(v source.Value, dst reflect.Value, tag reflect.StructTag) {
	switch t := dst.Type(); {
	case t == reflect.TypeFor[Extra]():
		d.extra(v, dst)
	case t == reflect.TypeFor[Workers]():
		d.workers(v, dst)
	case t == reflect.TypeFor[Text]() && v.Kind() == source.Scalar:
		dst.SetString(v.Str())
	case t == reflect.TypeFor[SecretOrigin]():
		d.text(v, dst, `jsonschema:"enum=token,enum=rsa,enum=given"`)
	case t.Kind() == reflect.Pointer:
		dst.Set(reflect.New(t.Elem()))
		d.value(v, dst.Elem(), tag)
	case short[t] != "" && v.Kind() == source.Scalar:
		f := fieldsOf(t)[short[t]]
		d.text(v, dst.FieldByIndex(f.Index), f.Tag)
	case t == reflect.TypeFor[Auth]() && v.Kind() == source.Scalar && v.Str() == ownLogin:
		dst.Set(reflect.ValueOf(Auth{Kind: ownLogin, Passwords: true}))
	case t.Kind() == reflect.Struct:
		d.mapping(v, dst)
	case t.Kind() == reflect.Map:
		d.dict(v, dst)
	case t.Kind() == reflect.Slice:
		d.list(v, dst)
	case t.Kind() == reflect.Bool:
		b, ok := v.Bool()
		if _, plain := map[string]bool{"true": true, "false": true}[v.Str()]; !ok || !plain {
			fix := "write true or false, without quotes"
			if word, _ := bare(v.Str()); ok {
				fix = v.Name() + ": " + strconv.FormatBool(b)
			} else if b, ok := boolOf(word); ok {
				fix = v.Name() + ": " + strconv.FormatBool(b)
			}
			d.fail(v, v.Path()+" must be true or false", fix)
			return
		}
		dst.SetBool(b)
	case t.Kind() == reflect.Int:
		i, ok := v.Int()
		if !ok {
			fix := "write a number without quotes, or remove the line"
			if word, _ := bare(v.Str()); leadingNumber().MatchString(word) {
				fix = v.Name() + ": " + leadingNumber().FindStringSubmatch(word)[1]
			}
			d.fail(v, v.Path()+" must be a whole number", fix)
			return
		}
		dst.SetInt(int64(i))
		d.constraints(v, tag)
	default:
		d.text(v, dst, tag)
	}
}

func (d *decoder) text(v source.Value, dst reflect.Value, tag reflect.StructTag) {
	switch v.Kind() {
	case source.Scalar:
	case source.Null:
		d.fail(v, v.Path()+" has no value", "write a value or remove the line")
		return
	default:
		d.fail(v, fmt.Sprintf("%s must be a text, not %s", v.Path(), v.Kind()), fmt.Sprintf("write one text for %s", v.Name()))
		return
	}
	if plain, fancy := bare(v.Str()); fancy && v.Plain() {
		fix := "write plain quotes, or none"
		if plain != "" && !v.Secret() {
			fix = v.Name() + ": " + strconv.Quote(plain)
		}
		d.fail(v, v.Path()+" is in typographic quotes; to YAML they are a part of the text", fix)
		return
	}
	// A plain on or off is what people write and means the word here; 17 and v1 are versions either way.
	dst.SetString(v.Str())
	if v.Str() == "" {
		d.fail(v, v.Path()+" is empty", "write a value or remove the line")
		return
	}
	d.constraints(v, tag)
}

// constraints holds a scalar against the enum, pattern, minimum and maximum of its jsonschema tag, so that
// editor and command agree. The form tag says in words what the pattern says, and ends in an example.
func (d *decoder) constraints(v source.Value, tag reflect.StructTag) {
	var enum []string
	for rule := range strings.SplitSeq(tag.Get("jsonschema"), ",") {
		name, arg, _ := strings.Cut(rule, "=")
		switch name {
		case "enum":
			enum = append(enum, arg)
		case "pattern":
			form, re := tag.Get("form"), regexp.MustCompile(arg)
			if re.MatchString(v.Str()) {
				continue
			}
			_, example, _ := strings.Cut(form, "such as ")
			if meant := retyped(v.Str(), re); meant != "" && !v.Secret() {
				example = meant
			}
			d.fail(v, fmt.Sprintf("%s must be %s", v.Path(), form), v.Name()+": "+example)
		case "minimum", "maximum":
			limit, _ := strconv.Atoi(arg)
			if i, ok := v.Int(); ok && (name == "minimum" && i < limit || name == "maximum" && i > limit) {
				word := map[string]string{"minimum": "least", "maximum": "most"}[name]
				d.fail(v, fmt.Sprintf("%s must be at %s %s", v.Path(), word, arg), "write another number, or remove the line for the default")
			}
		}
	}
	if enum != nil && !slices.Contains(enum, v.Str()) {
		fix := "write " + finding.Sentence(enum, "or")
		if meant := choice(v.Str(), enum); meant != "" {
			fix = v.Name() + ": " + meant
		} else if len(enum) == 1 {
			fix = v.Name() + ": " + enum[0]
		}
		d.fail(v, fmt.Sprintf("%s must be %s", v.Path(), finding.Sentence(enum, "or")), fix)
	}
}

// keys refuses what a strict mapping may not hold: repeated keys, merge keys, keys that are not scalars.
func (d *decoder) keys(v source.Value) bool {
	if v.Kind() != source.Mapping {
		d.noMapping(v)
		return false
	}
	dups, merges, complexKeys := v.RawKeys()
	for _, dup := range dups {
		d.fail(dup.Key, fmt.Sprintf("%s stands twice; the first is at line %d", dup.Key.Path(), dup.First.Line), "remove one of the two",
			source.Site{Pos: dup.First, Note: "the first", Snippet: func() string { return v.File().Snippet(dup.First.Line) }})
	}
	for _, m := range merges {
		d.fail(m, "merge keys (<<) are not allowed in a spec: readers disagree on what they mean", "write the values out")
	}
	for key := range v.Entries() {
		if plain, fancy := bare(key.Str()); fancy && key.Plain() {
			d.fail(key, quote(key.Str())+" is in typographic quotes; to YAML they are a part of the name", strconv.Quote(plain)+": "+valueText(v.At(key.Str())))
		}
	}
	for _, c := range complexKeys {
		d.fail(c, fmt.Sprintf("a key%s must be a single text", in(c)), "name: value")
	}
	return true
}

// valueText is a value for a line that a fix proposes.
func valueText(v source.Value) string {
	if v.Kind() == source.Scalar && !v.Secret() && v.Plain() && len(v.Str()) < maxWord {
		return v.Str()
	}
	return "…"
}

// emptyValue is what stands behind a name where a list was written instead of a mapping.
var emptyValue = map[string]string{"bridges": "{}", "permissions": "user"}

func (d *decoder) noMapping(v source.Value) {
	msg, fix := fmt.Sprintf("%s must be a mapping, not %s", where(v), v.Kind()), "below "+v.Name()+": write indented lines of the form `key: value`"
	before, after, _ := strings.Cut(v.Str(), ":")
	names := flow(v)
	_, harmless := boolOf(after)
	switch {
	case len(v.Keys()) == 0:
		fix = "begin with `version: 1`, or name the right file"
	case after != "" && !strings.ContainsAny(v.Str(), " /\n") && (harmless || !v.Secret()):
		msg += ": there is no space after the colon"
		fix = before + ": " + after
	case emptyValue[v.Name()] != "" && len(names) > 0:
		for i, name := range names {
			if strings.ContainsAny(name, "@*:") {
				name = strconv.Quote(name)
			}
			names[i] = name + ": " + emptyValue[v.Name()]
		}
		fix = v.Name() + ": {" + strings.Join(names, ", ") + "}"
	}
	d.fail(v, msg, fix)
}

func (d *decoder) mapping(v source.Value, dst reflect.Value) {
	// `signal:` with nothing behind it means the defaults, as `signal: {}` does.
	if v.Kind() != source.Null && !d.keys(v) {
		return
	}
	fields := fieldsOf(dst.Type())
	for key, val := range v.Entries() {
		f, ok := fields[key.Str()]
		if key.Kind() != source.Scalar {
			continue
		}
		if !ok {
			d.unknown(key, slices.Sorted(maps.Keys(fields)))
			continue
		}
		if val.Kind() == source.Null && f.Type.Kind() != reflect.Struct {
			d.fail(val, val.Path()+" has no value", "write a value or remove the line")
			continue
		}
		d.value(val, dst.FieldByIndex(f.Index), f.Tag)
	}
	for name, f := range fields {
		if missing := v.At(name); strings.HasPrefix(f.Tag.Get("jsonschema"), "required") && !missing.Exists() {
			d.fail(missing, missing.Path()+" is missing", name+": "+cmp.Or(f.Tag.Get("example"), "…"))
		}
	}
}

func (d *decoder) dict(v source.Value, dst reflect.Value) {
	if !d.keys(v) {
		return
	}
	dst.Set(reflect.MakeMap(dst.Type()))
	for key, val := range v.Entries() {
		if key.Kind() != source.Scalar {
			continue
		}
		elem := reflect.New(dst.Type().Elem()).Elem()
		d.value(val, elem, "")
		dst.SetMapIndex(reflect.ValueOf(key.Str()), elem)
	}
}

func (d *decoder) list(v source.Value, dst reflect.Value) {
	if v.Kind() != source.Sequence {
		fix := v.Name() + ": […]"
		if v.Kind() == source.Scalar && !v.Secret() && len(v.Str()) < maxWord && !strings.ContainsAny(v.Str(), "\"'\\") {
			words := []string{v.Str()}
			if dst.Type().Elem().Kind() == reflect.String && slices.Contains([]string{"command", "store"}, v.Name()) {
				words = strings.Fields(v.Str())
			}
			for i, word := range words {
				if strings.ContainsAny(word, " :{}[],#&*!|>%@`?") {
					words[i] = strconv.Quote(word)
				}
			}
			fix = v.Name() + ": [" + strings.Join(words, ", ") + "]"
		}
		d.fail(v, fmt.Sprintf("%s must be a list, not %s", v.Path(), v.Kind()), fix)
		return
	}
	items := v.Items()
	dst.Set(reflect.MakeSlice(dst.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(item, dst.Index(i), "")
	}
}

// extra takes any mapping, but refuses what the programs' YAML readers would not agree on.
func (d *decoder) extra(v source.Value, dst reflect.Value) {
	if v.Kind() != source.Mapping {
		d.noMapping(v)
		return
	}
	d.inExtra = true
	d.agreed(v)
	d.inExtra = false
	if m, ok := v.Any().(map[string]any); ok {
		dst.Set(reflect.ValueOf(Extra(m)))
	}
}

func (d *decoder) agreed(v source.Value) {
	switch v.Kind() {
	case source.Mapping:
		d.keys(v)
		for _, val := range v.Entries() {
			d.agreed(val)
		}
	case source.Sequence:
		for _, item := range v.Items() {
			d.agreed(item)
		}
	case source.Scalar:
		if _, boolWord := v.Bool(); boolWord && v.IsString() {
			d.fail(v, fmt.Sprintf("%s is %s: some programs take this word for true or false, others for a text", v.Path(), v.Str()),
				"write true or false, or put the word in quotes")
		}
	}
}

func where(v source.Value) string {
	if v.Path() == "" {
		return "the spec"
	}
	return v.Path()
}

func in(key source.Value) string {
	if keys := key.Keys(); len(keys) > 1 {
		return " in " + strings.Join(keys[:len(keys)-1], ".")
	}
	return ""
}

// known are the fields of the types that were asked for: they are walked once, and asked for with every component.
var known sync.Map

// fieldsOf are the fields of a struct by the names that the spec has for them. Nobody may change the map.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	if had, ok := known.Load(t); ok {
		return had.(map[string]reflect.StructField)
	}
	fields := make(map[string]reflect.StructField)
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && !f.Anonymous {
			fields[name] = f
		}
	}
	known.Store(t, fields)
	return fields
}
