package adopt

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// document is a file that both sides have: the rendered one, and what is read of it here. shape names its stays.
type document struct {
	path, shape string
	section     []string // the last of it is the program's
	theirs      *source.Node
	service     *deployment.Service // that reads theirs; nil where none of the stack does
	bridge      *deployment.Bridge  // nil where it is that of another program
}

// documents are those of the stack, but for the compose file.
func (r *reader) documents() []document {
	all := []document{{"config/matrix/homeserver.yaml", "synapse", spec.Section(component.Synapse), r.syn.Config.Root().Node(), r.syn.Service, nil}}
	if r.mas != nil {
		all = append(all, document{"config/mas/config.yaml", "mas", spec.Section(component.MAS), r.mas.Config.Root().Node(), r.mas.Service, nil})
	}
	if len(r.d.Elements) > 0 && len(r.d.Elements[0].Configs) > 0 {
		e := r.d.Elements[0]
		all = append(all, document{"config/element/config.json", "element", spec.Section(component.Element), e.Configs[0].Root().Node(), e.Service, nil})
	}
	if a := r.administered(); a != nil && a.Config != nil {
		all = append(all, document{"config/ketesa/config.json", "ketesa", spec.Section(component.Ketesa), a.Config.Root().Node(), a.Service, nil})
	}
	if f := r.managed(); f != nil {
		all = append(all, document{render.TraefikFile, "traefik", spec.Section(component.Traefik), f.Root().Node(), r.d.Proxy().Service, nil})
	}
	if lk, _ := r.callers(); lk != nil {
		all = append(all, document{"config/livekit/livekit.yaml", "livekit", spec.Section(component.LiveKit), lk.Config.Root().Node(), lk.Service, nil})
	}
	taken := r.taken()
	for c := range component.Bridges() {
		if b := taken[c.Program]; b != nil {
			all = append(all, document{"config/" + string(c.Program) + "/config.yaml", string(b.Dialect), spec.Section(c.Program), b.Config.Root().Node(), b.Service, b})
		}
	}
	for _, a := range r.d.Appservices {
		if own, ok := r.spec.Appservices[a.Name]; ok && own.Registration == "" && r.registrationOf(a.Service) == a.Registration {
			all = append(all, document{"config/matrix/" + a.Name + ".yaml", "registration", []string{"appservices", a.Name}, a.Registration.Root().Node(), a.Service, nil})
		}
	}
	if b := r.borgmatic(); b != nil {
		all = append(all, document{"borgmatic.d/" + or(r.spec.Name, "matrix") + ".yaml", "borgmatic", spec.Section(component.Borgmatic), b.Config.Root().Node(), nil, nil})
	}
	return all
}

// lay puts into the tree what its fields cannot say: each file is rendered, and what the deployment's own has beside is laid
// onto it. What stackgen rendered differs by nothing but that.
func (r *reader) lay(tree *source.Node, d *Draft) error {
	bundle, err := r.render(tree)
	if err != nil {
		return err
	}
	for _, doc := range r.documents() {
		ours, err := rendered(bundle, doc.path)
		if err == nil && doc.bridge != nil && ours.Get(strings.Split(doc.bridge.Keys().Database, ".")...) == nil {
			r.note(doc.bridge.Shape.Site(""), "the configuration is one of "+doc.bridge.Keys().Words+", and the rendered release reads another: name the release that runs", append(doc.section, "version")...)
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue // the spec has no such part
		}
		if err != nil {
			return err
		}
		over := residue(ours, doc.theirs)
		if !r.d.Chosen.Managed {
			if (doc.shape == "synapse" || doc.shape == "mas") && tree.Get("email") == nil {
				doc.theirs.Delete("email") // without a server there is nothing to lay it onto
			}
			over = r.beside(doc, ours)
		}
		if over != nil {
			r.put(tree, append(slices.Clip(doc.section), "extra"), over)
		}
	}
	if !r.d.Chosen.Managed {
		return r.layCompose(tree, d)
	}
	r.copies(tree, bundle, d)
	if bundle, err = r.render(tree); err != nil {
		return err
	}
	ours, err := rendered(bundle, "docker-compose.yml")
	if err != nil {
		return err
	}
	theirs, err := r.composed()
	if err != nil {
		return err
	}
	if over := residue(unhashed(ours), unhashed(theirs)); over != nil {
		r.put(tree, []string{"compose", "extra"}, over)
	}
	return nil
}

// beside is what a file that somebody else wrote has beside the rendered one. A path in it is one in the container that it
// was written for, which somebody has to look at.
func (r *reader) beside(doc document, ours *source.Node) *source.Node {
	theirs := doc.theirs.Clone()
	for _, section := range deployment.BorgmaticSections {
		if old := theirs.Get(section); doc.shape == "borgmatic" && old.Is(source.Mapping) {
			theirs.Delete(section)
			for _, name := range old.Names() {
				theirs.Set(name, old.Get(name))
			}
		}
	}
	if doc.shape == "synapse" && r.keptLogin() {
		pruned(theirs, slices.DeleteFunc(slices.Clone(stays[doc.shape]), func(key string) bool { return key == "password_config" }))
		pruned(theirs, keptLogins)
	} else {
		pruned(theirs, stays[doc.shape])
	}
	if lk, _ := r.callers(); doc.shape == "synapse" && lk != nil {
		pruned(theirs, ofCalls)
	}
	if doc.shape == "synapse" && r.relay() != nil {
		pruned(theirs, []string{"turn_uris"})
	}
	if doc.shape == "synapse" {
		r.beyondFields(theirs)
	}
	made(theirs)
	if doc.shape == "synapse" && r.mas == nil && !r.keptLogin() {
		pruned(theirs, logins)
	}
	dialect := component.Dialect("")
	if doc.bridge != nil {
		dialect = doc.bridge.Dialect
	}
	for _, is := range deployment.DefaultsOf(component.Program(doc.program()), dialect) {
		usual(theirs, ours, is.Root().Node())
	}
	over := beside(ours, theirs)
	switch doc.shape {
	case "synapse":
		over = r.ownProviders(r.listeners(over, ours), ours)
	case "mas":
		over = r.keys(r.providers(over, ours))
	}
	if doc.service != nil && over != nil {
		r.paths(doc, over, nil)
	}
	return over
}

// beyondFields puts back what the spec has a field for and that says only half of it.
func (r *reader) beyondFields(theirs *source.Node) {
	c := r.syn.Config
	if c.At("retention", "enabled").True() && r.spec.Synapse.Retention.MaxLifetime == "" {
		r.put(theirs, []string{"retention", "enabled"}, source.Made("!!bool", "true"))
	}
	if r.keptLogin() && !r.spec.Auth.Passwords {
		if secret := r.held(r.syn.Service, c.Root(), "registration_shared_secret", "registration_shared_secret_path"); secret != "" {
			theirs.Set("registration_shared_secret", source.Made("!!str", secret))
		}
	}
}

// program is whose file it is. Only a bridge and Element Web are called in the spec as everywhere.
func (doc document) program() string {
	if doc.bridge != nil {
		return doc.section[len(doc.section)-1]
	}
	return doc.shape
}

// made takes out what a bridge is to make up by itself, and reports whether anything is left.
func made(n *source.Node) bool {
	for _, name := range slices.Clone(n.Names()) {
		if below := n.Get(name); below.Str() == "generate" || below.Is(source.Mapping) && len(below.Names()) > 0 && !made(below) {
			n.Delete(name)
		}
	}
	return len(n.Names()) > 0
}

// paths notes the files that a value names.
func (r *reader) paths(doc document, n *source.Node, at []string) {
	for _, name := range n.Names() {
		r.paths(doc, n.Get(name), append(slices.Clip(at), name))
	}
	for _, item := range n.Items {
		r.paths(doc, item, at)
	}
	if n.Is(source.Scalar) && strings.HasPrefix(n.Text, "/") {
		if host, reason := doc.service.HostPath(n.Text); reason == "" {
			if _, err := fs.Stat(r.d.FS, host); err == nil {
				r.note(n.From.Site(""), "names a file that the container finds no more at this path: mount it by compose.extra", append(append(slices.Clip(doc.section), "extra"), at...)...)
			}
		}
	}
}

// render makes the files of the tree in memory.
func (r *reader) render(tree *source.Node) (*render.Bundle, error) {
	s, findings, err := r.parse(tree)
	if err != nil || s == nil {
		return nil, fmt.Errorf("what was read is no spec: %w%v", err, findings)
	}
	st := r.resolve(s)
	for to, v := range s.Copied() {
		st.Files = append(st.Files, render.Copy{Path: to, Data: r.files[v.Str()], At: v})
	}
	return render.Render(s, st, r.set(s).Get)
}

// rendered is a file of the bundle as a tree.
func rendered(b *render.Bundle, name string) (*source.Node, error) {
	src, err := fs.ReadFile(b.FS(), name)
	if err != nil {
		return nil, err
	}
	f, problem := source.Parse(name, src)
	if problem != nil {
		return nil, fmt.Errorf("%s: %s", name, problem.Message)
	}
	return f.Root().Node(), nil
}

// composed is what Compose reads, as it would have to be written in one file.
func (r *reader) composed() (*source.Node, error) {
	src, _ := compose.Of(r.d).Content("")
	f, problem := source.Parse(r.d.File, src)
	if problem != nil {
		return nil, fmt.Errorf("%s: %s", r.d.File, problem.Message)
	}
	return f.Root().Node(), nil
}

// unhashed takes the config hashes out, which are made anew by each render.
func unhashed(compose *source.Node) *source.Node {
	services := compose.Get("services")
	for _, name := range services.Names() {
		labels := services.Get(name, "labels")
		switch {
		case labels.Is(source.Mapping):
			if labels.Delete(confighash.Label); len(labels.Names()) == 0 {
				services.Get(name).Delete("labels")
			}
		case labels.Is(source.Sequence):
			labels.Items = slices.DeleteFunc(labels.Items, func(n *source.Node) bool { return strings.HasPrefix(n.Text, confighash.Label+"=") })
		}
	}
	return compose
}

// copies has the spec copy the files of somebody's own that stackgen copied before.
func (r *reader) copies(tree *source.Node, b *render.Bundle, d *Draft) {
	m, err := manifest.Read(r.d.FS)
	if err != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if slices.ContainsFunc(b.Files, func(f render.File) bool { return f.Path == name }) {
			continue
		}
		if data, err := source.ReadFS(r.d.FS, name); err == nil {
			from := path.Join("files", name)
			d.Files[from] = data
			r.put(tree, []string{"compose", "files", name}, source.Made("!!str", from))
		}
	}
}

// put sets a field of the tree, and makes the sections above it.
func (r *reader) put(tree *source.Node, at []string, value *source.Node) {
	for _, key := range at[:len(at)-1] {
		if tree.Get(key) == nil {
			tree.Set(key, &source.Node{Kind: source.Mapping})
		}
		tree = tree.Get(key)
	}
	if last := at[len(at)-1]; last != "extra" {
		tree.Set(last, value)
	} else {
		tree.Set(last, r.named(at[:len(at)-1], value))
	}
}

// named has secrets stand in the spec by their names: those that are known by theirs, others by where they stand.
func (r *reader) named(at []string, n *source.Node) *source.Node {
	switch n.Kind {
	case source.Mapping:
		for _, name := range n.Names() {
			_, key := source.Operator(name)
			n.Set(name, r.named(append(slices.Clip(at), key), n.Get(name)))
		}
	case source.Sequence:
		for i, item := range n.Items {
			n.Items[i] = r.named(append(slices.Clip(at), fmt.Sprint(i+1)), item)
		}
	case source.Scalar:
		if name := r.secretFor(at, n); name != "" {
			ref := &source.Node{Kind: source.Mapping}
			ref.Set("secret", source.Made("!!str", name))
			return ref
		}
	}
	return n
}

// secretFor is the name of the secret that a value is; "" for what is none.
func (r *reader) secretFor(at []string, n *source.Node) string {
	if n.Tag != "!!str" || n.Text == "" || component.NoSecret(n.Text) || len(n.From.Unset()) > 0 && variablesAlone(n.Text) {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(r.secrets)) {
		if r.secrets[name] == n.Text && len(n.Text) >= 8 {
			return name
		}
	}
	if r.mask == nil {
		r.mask = r.d.Mask()
	}
	if at[0] == string(component.Element) { // every browser gets its configuration
		return ""
	}
	if len(at) > 3 && at[0] == "compose" && at[1] == "services" && slices.Contains(neverSecret, at[3]) { // a path may look random
		return ""
	}
	if label, _, _ := strings.Cut(n.Text, "="); slices.Contains(at, "labels") && strings.HasPrefix(label, "traefik.") && strings.HasSuffix(label, ".rule") { // a host may look random, and everybody sees it
		return ""
	}
	if last := at[len(at)-1]; slices.Contains([]string{"client_id", "kid", "id"}, last) { // which look random, and are told
		return ""
	}
	if !n.From.Secret() && r.mask.Text(n.Text) == n.Text {
		return ""
	}
	name := secretName(at)
	for base, i := name, 2; r.secrets[name] != ""; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	r.secrets[name] = n.Text
	return name
}

// neverSecret are the keys of a service whose values Docker shows to everybody on the host.
var neverSecret = []string{"image", "volumes", "networks", "ports", "container_name", "hostname", "user", "depends_on", "devices", "extra_hosts", "network_mode"}

// variableAlone is a value that is a variable which is set elsewhere, also behind the name that an environment has for it.
var variableAlone = regex.Of(`^([A-Za-z_][A-Za-z0-9_]*=)?\$\{?[A-Za-z_][A-Za-z0-9_]*(:?\?[^}]*)?\}?$`)

// variablesAlone reports whether all that could be secret in a value is variables which are set elsewhere: all of it, or of an
// address who asks.
func variablesAlone(text string) bool {
	if variableAlone().MatchString(text) {
		return true
	}
	rest := variable().ReplaceAllString(text, "")
	if _, address, is := strings.Cut(rest, "://"); is {
		who, _, named := strings.Cut(address, "@")
		return named && strings.Trim(who, ":") == ""
	}
	return rest != text && strings.Trim(rest[strings.LastIndex(rest, "=")+1:], ":") == ""
}

// variable is one that Compose fills in.
var variable = regex.Of(`\$(\{[^}]*\}|[A-Za-z_][A-Za-z0-9_]*)`)

// secretName calls a secret by where it stands, without what is the same for all.
func secretName(at []string) string {
	var words []string
	for _, word := range at {
		switch word = strings.Trim(noName().ReplaceAllString(strings.ToLower(word), "_"), "_"); word {
		case "", "compose", "services", "environment", "labels", "extra":
		default:
			words = append(words, word)
		}
	}
	if len(words) == 1 || words[0][0] < 'a' {
		words = append([]string{"own"}, words...)
	}
	return strings.Join(words, ".")
}
