package kubernetes

import (
	"bytes"
	"encoding/base64"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// content is a Secret or a ConfigMap. Its files lie in dir of the deployment's file system.
type content struct {
	*object
	dir  string
	keys []string // in order
	of   map[string]*entry
	why  string // why what it holds cannot be seen; "" where it can
}

// entry is what stands at one of its keys.
type entry struct {
	at   source.Value
	text string
	why  string // why it cannot be seen
	site string // the file that it was taken from, "" for what stands in a manifest
}

// makers are the kinds of objects that something in the cluster makes a Secret or ConfigMap of.
var makers = map[string]struct {
	kind string
	name []string // where the name stands, if it is not that of the object
}{
	"ExternalSecret": {"Secret", []string{"spec", "target", "name"}}, "SealedSecret": {"Secret", []string{"spec", "template", "metadata", "name"}},
	"VaultStaticSecret": {"Secret", []string{"spec", "destination", "name"}}, "VaultDynamicSecret": {"Secret", []string{"spec", "destination", "name"}},
	"OnePasswordItem": {"Secret", nil}, "InfisicalSecret": {"Secret", []string{"spec", "managedSecretReference", "secretName"}}, "SopsSecret": {"Secret", nil},
	"Certificate": {"Secret", []string{"spec", "secretName"}}, "Password": {"Secret", nil}, "BitwardenSecret": {"Secret", []string{"spec", "secretName"}},
}

// hold makes files of what stands in Secrets and ConfigMaps.
func (c *cluster) hold() {
	for _, o := range c.objects {
		if o.kind == "Secret" && o.group == "" || o.kind == "ConfigMap" && o.group == "" {
			c.holdOne(o)
		}
	}
	for _, o := range c.objects {
		made, ok := makers[o.kind]
		if !ok {
			continue
		}
		name := o.name
		if made.name != nil && o.At(made.name...).Set() {
			name = o.At(made.name...).Str()
		}
		if key := c.key(made.kind, o.namespace, name); c.contents[key] == nil {
			c.contents[key] = &content{object: o, dir: key, why: "the " + made.kind + " " + name + " is made in the cluster of the " + o.kind + " " + o.name}
		}
	}
}

func (c *cluster) holdOne(o *object) {
	if k := o.made; k != nil {
		k.dir = c.key(o.kind, o.namespace, o.name)
		for _, key := range k.keys {
			if e := k.of[key]; strings.Contains(e.text, "ENC[AES256_GCM,") { // what applies it has it decrypted before
				e.text, e.why = "", key+" of the "+o.kind+" "+o.name+" is encrypted by SOPS"
			}
			c.file(k, key, k.of[key], false)
		}
		c.files = append(c.files, memfs.File{Path: k.dir})
		c.contents[k.dir] = k
		return
	}
	k := &content{object: o, dir: c.key(o.kind, o.namespace, o.name), of: make(map[string]*entry)}
	if o.At("sops").Exists() {
		k.why = "the " + o.kind + " " + o.name + " is encrypted by SOPS"
	}
	add := func(v source.Value, decode bool) {
		for key, at := range v.Entries() {
			e := &entry{at: at, text: at.Str()}
			if decode {
				plain, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(e.text), ""))
				if e.text = string(plain); err != nil {
					e.text, e.why = "", "what stands at "+key.Str()+" of the "+o.kind+" "+o.name+" is no base64"
				}
			}
			switch {
			case strings.HasPrefix(at.Str(), "ENC["):
				e.text, e.why = "", key.Str()+" of the "+o.kind+" "+o.name+" is encrypted by SOPS"
			case strings.HasPrefix(at.Str(), "<") && strings.HasSuffix(at.Str(), ">") && strings.Contains(at.Str(), "path:"):
				e.text, e.why = "", key.Str()+" of the "+o.kind+" "+o.name+" is filled in where it is applied"
			}
			k.set(key.Str(), e)
			c.file(k, key.Str(), e, decode)
		}
	}
	add(o.At("binaryData"), true)
	add(o.At("data"), o.kind == "Secret")
	add(o.At("stringData"), false)
	c.files = append(c.files, memfs.File{Path: k.dir})
	c.contents[k.dir] = k
}

func (k *content) set(key string, e *entry) {
	if k.of[key] == nil {
		k.keys = append(k.keys, key)
	}
	k.of[key] = e
}

// file puts the text of an entry where containers that mount it find it. What it says has its place in the manifest: that of the
// line in a block, that of the key where the text stands there in another form.
func (c *cluster) file(k *content, key string, e *entry, encoded bool) {
	if e.why != "" || k.why != "" {
		return
	}
	name := path.Join(k.dir, key)
	c.files = append(c.files, memfs.File{Path: name, Data: []byte(e.text)})
	c.d.Holders[name] = e.holder(encoded)
	if !maybeYAML(key, e.text) {
		return
	}
	at := e.at.File().Path
	if e.site != "" {
		at = e.site
	}
	if !encoded && e.site == "" {
		f, problem := source.Parse(at, e.at.Inside(e.text))
		if problem == nil {
			c.d.Add(name, f)
		} else {
			c.d.Faults[name] = unparsed(*problem)
		}
		return
	}
	f, problem := source.Parse(at, []byte(e.text))
	switch {
	case problem != nil && e.site == "":
		problem.Pos = e.at.KeyPos()
		c.d.Faults[name] = unparsed(*problem)
	case problem != nil:
		c.d.Faults[name] = unparsed(*problem)
	case e.site != "":
		c.d.Add(name, f)
	default:
		c.d.Add(name, source.Join(settled(f.Root().Node(), e.at)))
	}
}

// holder is where the text of an entry stands.
func (e *entry) holder(encoded bool) deployment.Holder {
	if e.site != "" {
		return deployment.Holder{File: e.site, Line: 1}
	}
	h := deployment.Holder{File: e.at.File().Path, Line: e.at.KeyPos().Line, Whole: true}
	if before, text, found := bytes.Cut(e.at.Inside(e.text), []byte(strings.SplitN(e.text, "\n", 2)[0])); !encoded && found && len(bytes.TrimSpace(before)) == 0 && bytes.Contains(text, []byte("\n")) {
		h.Line, h.Whole = 1+bytes.Count(before, []byte("\n")), false
	}
	return h
}

func unparsed(p source.Problem) []finding.Finding {
	return []finding.Finding{{Rule: "yaml", Severity: finding.Error, Message: p.Message, Fix: p.Fix, Sites: []source.Site{{Pos: p.Pos}}}}
}

// maybeYAML reports whether a program may read the text as YAML or JSON: it has a line break or a brace, or is called so.
func maybeYAML(key, text string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(key)) || strings.Contains(text, ": ") && strings.Contains(text, "\n")
}

// settled has all values of a tree stand at one place.
func settled(n *source.Node, at source.Value) *source.Node {
	n.From, n.Key = at, at
	for _, name := range n.Names() {
		settled(n.Get(name), at)
	}
	for _, item := range n.Items {
		settled(item, at)
	}
	return n
}

// lookup is the Secret or ConfigMap that an object of the namespace means by the name; nil where it is not among the manifests.
func (c *cluster) lookup(kind, namespace, name string) *content {
	return c.contents[c.key(kind, namespace, name)]
}

// missing says of one that is not there why its content cannot be seen.
func missing(kind, name string) string {
	return "the " + kind + " " + name + " is not among the manifests"
}

// secrecy gives the secrets of what Secrets hold: each value as a whole, in both its forms, and what stands in the place of a user, a host or a name of a
// database in the open.
func (c *cluster) secrecy() (hidden []source.Hidden, open []string) {
	for _, k := range c.contents {
		if k.kind != "Secret" {
			continue
		}
		open = append(open, k.name)
		for _, key := range k.keys {
			e := k.of[key]
			hidden = append(hidden, source.HiddenIn(key, e.text)...)
			if e.at.Str() != e.text {
				hidden = append(hidden, source.Hidden{Value: e.at.Str()})
			}
			if public(key) {
				open = append(open, e.text)
			} else if !strings.Contains(strings.TrimSpace(e.text), "\n") {
				hidden = append(hidden, source.Led(key, strings.TrimSpace(e.text))...)
			}
		}
	}
	for _, p := range c.pods {
		open = append(open, p.of.name)
	}
	return hidden, open
}

// public reports whether the key of a Secret names what everybody may know.
func public(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc([]string{"user", "username", "host", "hostname", "port", "dbname", "database", "db", "endpoint", "bucket", "region", "server_name", "servername"}, func(word string) bool {
		return key == word || strings.HasSuffix(key, "_"+word) || strings.HasSuffix(key, "-"+word)
	})
}
