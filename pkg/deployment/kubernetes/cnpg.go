package kubernetes

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// cnpg is the group of CloudNativePG's objects.
const cnpg = "postgresql.cnpg.io"

// operated makes a server of each Cluster of CloudNativePG, with the roles and databases that it, DatabaseRoles and Databases say.
func (c *cluster) operated() {
	for _, o := range c.objects {
		if o.kind != "Cluster" || o.group != cnpg {
			continue
		}
		spec := o.At("spec")
		s := &deployment.Service{
			Name: o.name, Self: deployment.LeafOf(o.At("metadata", "name")), ImageAt: deployment.LeafOf(spec.At("imageName")), Image: component.Parse(spec.At("imageName").Str()),
			Program: component.Postgres, Networks: []string{network}, NetworksAt: deployment.LeafOf(o.At("metadata", "name")), SpansKnown: true, Unnamed: true, Namespace: o.namespace,
			Copies: 1, EnvAt: deployment.LeafOf(spec.At("bootstrap", "initdb")),
		}
		if n, err := strconv.Atoi(spec.At("instances").Str()); err == nil {
			s.Copies = n
		}
		initdb := spec.At("bootstrap", "initdb")
		at := func(key, usual string) string { return cmp.Or(initdb.At(key).Str(), initdb.At("locale").Str(), usual) }
		s.Variables = []deployment.Variable{{
			Name: "POSTGRES_INITDB_ARGS", At: deployment.LeafOf(initdb),
			Text: "--encoding=" + cmp.Or(initdb.At("encoding").Str(), "UTF8") + " --lc-collate=" + at("localeCollate", "C") + " --lc-ctype=" + at("localeCType", "C"),
		}}
		s.Cmd = settings(spec.At("postgresql", "parameters"), o)
		roles, databases, opaque := c.made(o)
		c.d.Operate(s, roles, databases, opaque)
		k := &container{Service: s, at: o.Value, ports: map[string]string{"postgresql": "5432"}, open: []string{"5432"}}
		labels := spec.At("inheritedMetadata", "labels").Node()
		if labels == nil || labels.Kind != source.Mapping {
			labels = source.NewMapping(o.Node())
		}
		labels.Set("cnpg.io/cluster", source.NewText(o.Node(), o.name))
		labels.Set("cnpg.io/podRole", source.NewText(o.Node(), "instance"))
		c.pods = append(c.pods, &pod{of: o, labels: source.Join(labels).Root(), spec: spec, containers: []*container{k}})
		for _, end := range []string{"-rw", "-ro", "-r"} {
			hosts := c.hosts(o, o.name+end)
			c.d.Doors = append(c.d.Doors, &deployment.Door{
				Name: o.name + end, Namespace: o.namespace, Hosts: hosts, At: deployment.LeafOf(o.At("metadata", "name")), To: []*deployment.Service{s},
				ToAt: deployment.LeafOf(o.At("metadata", "name")), Ports: []deployment.DoorPort{{Port: "5432", Inner: "5432", At: deployment.LeafOf(o.At("metadata", "name"))}},
			})
			a := deployment.Attachment{Network: network, AliasesAt: deployment.LeafOf(o.At("metadata", "name"))}
			for _, name := range hosts {
				a.Aliases = append(a.Aliases, deployment.Filled(o.At("metadata", "name"), name, true))
			}
			s.Attachments = append(s.Attachments, a)
		}
	}
}

// settings are the parameters of a Cluster as the words that start PostgreSQL with them. CloudNativePG makes a certificate of its own.
func settings(parameters source.Value, o *object) deployment.List {
	words := source.NewList(o.Node())
	add := func(at source.Value, text string) { words.Items = append(words.Items, source.NewText(at.Node(), text)) }
	add(o.Value, "postgres")
	add(o.Value, "-c")
	add(o.Value, "ssl=on")
	for key, v := range parameters.Entries() {
		add(v, "-c")
		add(v, key.Str()+"="+v.Str())
	}
	return deployment.ListOf(source.Join(words).Root())
}

// made are the roles and databases of a Cluster; opaque says why there may be others.
func (c *cluster) made(o *object) (roles []deployment.Role, databases map[string]deployment.Database, opaque string) {
	databases = make(map[string]deployment.Database)
	role := func(name, secret string, at source.Value, absent string) {
		r := deployment.Role{Name: name, Site: at.Site("its role"), Reason: absent}
		if secret != "" {
			r.Password, r.Reason, r.Site = c.password(o, secret, at)
			c.named(o, secret, name, at)
		}
		if i := slices.IndexFunc(roles, func(p deployment.Role) bool { return p.Name == name }); i >= 0 {
			roles[i] = r
			return
		}
		roles = append(roles, r)
	}
	bootstrap := o.At("spec", "bootstrap")
	initdb := bootstrap.At("initdb")
	if bootstrap.At("recovery").Exists() || bootstrap.At("pg_basebackup").Exists() || initdb.At("import").Exists() {
		opaque = "the Cluster " + o.name + " is made of another one, whose roles and databases are not seen"
	}
	for _, key := range []string{"postInitSQL", "postInitApplicationSQL", "postInitTemplateSQL", "postInitSQLRefs", "postInitApplicationSQLRefs", "postInitTemplateSQLRefs"} {
		if initdb.At(key).Exists() {
			opaque = key + " of the Cluster " + o.name + " is not read"
		}
	}
	owner := cmp.Or(initdb.At("owner").Str(), initdb.At("database").Str(), "app")
	name := cmp.Or(initdb.At("database").Str(), "app")
	at := initdb
	if !at.Exists() {
		at = o.At("metadata", "name")
	}
	role(owner, initdb.At("secret", "name").Str(), at, "the password of "+owner+" is made in the cluster, in the Secret "+o.name+"-app")
	databases[name] = deployment.Database{Owner: owner, Site: at.Site("made with the cluster")}
	for _, v := range o.At("spec", "managed", "roles").Items() {
		if v.At("ensure").Str() != "absent" {
			c.mayLogIn(v, v.At("name").Str())
			role(v.At("name").Str(), v.At("passwordSecret", "name").Str(), v, "the role "+v.At("name").Str()+" is given no password here")
		}
	}
	for _, other := range c.objects {
		spec := other.At("spec")
		if other.group != cnpg || spec.At("cluster", "name").Str() != o.name || !other.in(o.namespace) || spec.At("ensure").Str() == "absent" {
			continue
		}
		switch other.kind {
		case "DatabaseRole":
			c.mayLogIn(spec, spec.At("name").Str())
			role(spec.At("name").Str(), spec.At("passwordSecret", "name").Str(), spec.At("name"), "the role "+spec.At("name").Str()+" is given no password here")
		case "Database":
			databases[spec.At("name").Str()] = deployment.Database{Owner: spec.At("owner").Str(), Site: spec.At("name").Site("made here"), Statement: statement(spec)}
		}
	}
	return roles, databases, opaque
}

// mayLogIn has a role with a password be one that logs in, which none is by default.
func (c *cluster) mayLogIn(of source.Value, name string) {
	if of.At("passwordSecret", "name").Set() && !of.At("login").True() {
		at := of.At("login")
		if !at.Exists() {
			at = of.At("name")
		}
		c.misfit(false, fmt.Sprintf("the role %s has a password and may not log in; whoever connects as it is turned away (role is not permitted to log in)", name), "login: true", at.Site(""))
	}
}

// named has the Secret of a role's password say the role's name, without which CloudNativePG leaves the role as it is.
func (c *cluster) named(o *object, secret, role string, at source.Value) {
	k := c.lookup("Secret", o.namespace, secret)
	if k == nil || k.why != "" || k.of["password"] == nil {
		return
	}
	switch e := k.of["username"]; {
	case e == nil:
		c.misfit(false, fmt.Sprintf("the Secret %s has no username, and CloudNativePG takes the password of the role %s only with it; the role is left without one", secret, role), "username: "+role, k.At("metadata", "name").Site(""), at.Site("the role"))
	case e.why == "" && strings.TrimSpace(e.text) != role:
		c.misfit(false, fmt.Sprintf("the Secret %s has another username than the role %s whose password it holds; CloudNativePG refuses it, and the role is left without one", secret, role), "username: "+role, e.at.Site(""), at.Site("the role"))
	}
}

// statement is what CloudNativePG makes a database with.
func statement(spec source.Value) string {
	var text strings.Builder
	text.WriteString("CREATE DATABASE " + spec.At("name").Str())
	for _, w := range [][2]string{{"encoding", "ENCODING"}, {"localeCollate", "LC_COLLATE"}, {"localeCType", "LC_CTYPE"}, {"locale", "LOCALE"}} {
		if v := spec.At(w[0]); v.Set() {
			text.WriteString(" " + w[1] + " '" + v.Str() + "'")
		}
	}
	if v := spec.At("template"); v.Set() {
		text.WriteString(" TEMPLATE " + v.Str())
	}
	return text.String()
}

// password is what stands in a Secret of the kind kubernetes.io/basic-auth.
func (c *cluster) password(o *object, secret string, at source.Value) (text, reason string, site source.Site) {
	k := c.lookup("Secret", o.namespace, secret)
	switch {
	case k == nil:
		return "", "its password is of " + missing("Secret", secret), at.Site("its role")
	case k.why != "":
		return "", k.why, at.Site("its role")
	case k.of["password"] == nil:
		return "", "the Secret " + secret + " has no key password", at.Site("its role")
	}
	e := k.of["password"]
	return e.text, e.why, e.at.Site("its role's")
}
