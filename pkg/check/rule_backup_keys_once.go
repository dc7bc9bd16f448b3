package check

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// oneTimeKeys is Synapse's table of keys that are good for one message each.
const oneTimeKeys = "e2e_one_time_keys_json"

var backupOneTimeKeys = Rule{
	ID: "backup-one-time-keys", Severity: finding.Warning,
	Summary: "the backup leaves out the one-time keys of Synapse's users",
	Why:     "After a restore Synapse hands out keys that were used already. Who gets a message that is encrypted with one sees \"Unable to decrypt\", in every new chat and from every new device, until the old keys are used up.",
	Fix:     "Give pg_dump --exclude-table-data=e2e_one_time_keys_json for Synapse's database, and empty the table after a restore, before Synapse starts. Clients then upload new keys.",
	Source:  "Synapse docs/usage/administration/backups.md; element-hq/element-meta issue 2155; borgmatic 2.1 hooks/data_source/postgresql.py (options)",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Backups() {
			if strings.Contains(string(b.Config.Src), oneTimeKeys) && handlesOneTimeKeys(b) {
				continue // a command of its own empties it
			}
			for _, item := range b.Option("postgresql_databases").Items() {
				checkOneTimeKeys(r, d, item)
			}
			for _, v := range b.Commands() {
				checkDumpScript(r, d, deployment.ListOf(v))
			}
		}
		for _, s := range d.Services {
			checkDumpScript(r, d, s.Entrypoint)
			checkDumpScript(r, d, s.Cmd)
		}
	},
}

// synapseDatabases are the names of Synapse's databases, with the place that says so.
func synapseDatabases(d *deployment.Deployment) map[string]deployment.Leaf {
	names := make(map[string]deployment.Leaf)
	for _, s := range d.Synapses {
		for _, c := range d.Connections() {
			if c.Service == s.Service && c.Db != "" {
				names[c.Db] = c.At
			}
		}
	}
	return names
}

// handlesOneTimeKeys reports whether a command of borgmatic itself names the table, most likely to empty it
// after a restore.
func handlesOneTimeKeys(b *deployment.Backup) bool {
	return slices.ContainsFunc(b.Commands(), func(v source.Value) bool {
		return strings.Contains(v.Str(), oneTimeKeys) && !strings.Contains(v.Str(), "pg_dump")
	})
}

// checkOneTimeKeys holds an entry of postgresql_databases that dumps a database of Synapse to the rule.
func checkOneTimeKeys(r *Reporter, d *deployment.Deployment, item source.Value) {
	for name, at := range synapseDatabases(d) {
		entry := item.At("name").Str()
		if match, _ := path.Match(entry, name); entry != name && entry != "all" && !match {
			continue
		}
		command, options := item.At("pg_dump_command"), item.At("options")
		words := append(strings.Fields(command.Str()), strings.Fields(options.Str())...)
		all := entry == "all" && !item.At("format").Set() // pg_dumpall
		switch {
		case leavesOneTimeKeys(words):
		case slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "--filter") }):
			r.NotChecked("what the filter leaves out of the dump cannot be seen", item.Site(""))
		case command.Set() && !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(path.Base(w), "pg_dump") }):
			r.NotChecked("a script of its own dumps "+name, command.Site(""))
		case all:
			r.Fail("pg_dumpall dumps the one-time keys of Synapse's users and cannot leave them out; after a restore messages cannot be decrypted",
				"an entry for "+name+" alone, with options: --exclude-table-data="+oneTimeKeys, item.At("name").Site(""), at.Site("Synapse's database"))
		default:
			site := item.At("name").Site("")
			if options.Set() {
				site = options.Site("")
			}
			r.Fail("the dump of "+name+" holds the one-time keys of Synapse's users; after a restore they are handed out once more, and messages cannot be decrypted",
				"options: --exclude-table-data="+oneTimeKeys, site, at.Site("Synapse's database"))
		}
	}
}

// leavesOneTimeKeys reports whether options of pg_dump leave the rows of the table out.
func leavesOneTimeKeys(words []string) bool {
	for i, w := range words {
		name, val, given := strings.Cut(strings.Trim(w, `'"`), "=")
		if name != "--exclude-table-data" && name != "--exclude-table-data-and-children" {
			continue
		}
		if !given && i+1 < len(words) {
			val = words[i+1]
		}
		// A pattern of psql, which may begin with a schema.
		val = strings.Trim(val, `'"`)
		if schema, table, ok := strings.Cut(val, "."); ok && (schema == "public" || schema == "*") {
			val = table
		}
		if match, _ := path.Match(strings.Trim(val, `"`), oneTimeKeys); match {
			return true
		}
	}
	return false
}

// checkDumpScript looks for pg_dump of a database of Synapse in a command or a list of words, where nothing of
// the whole text names the table.
func checkDumpScript(r *Reporter, d *deployment.Deployment, v deployment.List) {
	words := append([]string{v.Str()}, v.Texts()...)
	text := strings.ReplaceAll(strings.Join(words, " "), "\\\n", " ")
	if !strings.Contains(text, "pg_dump") || strings.Contains(text, oneTimeKeys) || strings.Contains(text, "--filter") {
		return
	}
	var dumped []string
	for _, command := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune("\n;|&()`<>", c) }) {
		dumped = append(dumped, dumpedBy(strings.FieldsFunc(command, func(c rune) bool { return strings.ContainsRune(" \t\"'", c) })))
	}
	for name, at := range synapseDatabases(d) {
		if slices.Contains(dumped, name) {
			r.Fail("this dump of "+name+" holds the one-time keys of Synapse's users; after a restore they are handed out once more, and messages cannot be decrypted",
				"pg_dump --exclude-table-data="+oneTimeKeys+" …", v.Site(""), at.Site("Synapse's database"))
		}
	}
}

// dumpOptions are those of pg_dump with a value, which may be the next word.
var dumpOptions = strings.Fields(`-d -e -E -f -F -h -j -n -N -p -S -t -T -U -Z --compress --dbname --encoding --exclude-schema --exclude-table
	--exclude-table-data --extension --file --format --host --jobs --port --role --schema --superuser --table --username`)

// dumpedBy is the database whose tables a command dumps with pg_dump, all of them; "" where it does not, or goes by
// a variable of libpq.
func dumpedBy(words []string) (database string) {
	i := slices.IndexFunc(words, func(w string) bool { return path.Base(w) == "pg_dump" })
	if i < 0 {
		return ""
	}
	for words = words[i+1:]; len(words) > 0; words = words[1:] {
		option, value, _ := strings.Cut(words[0], "=")
		switch {
		case !strings.HasPrefix(option, "-"):
			option, value = "-d", words[0]
		case len(option) > 2 && option[1] != '-' && slices.Contains(dumpOptions, option[:2]):
			option, value = option[:2], option[2:]
		case slices.Contains(dumpOptions, option) && value == "" && len(words) > 1:
			words = words[1:]
			value = words[0]
		}
		switch option {
		case "-d", "--dbname":
			database = value
		case "-s", "--schema-only", "-t", "--table":
			return ""
		}
	}
	return database
}
