package conformance

import (
	"os"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// readKeys prints what the package synapse.config below a directory, the password policy, and what speaks to PostgreSQL, read: "top KEY" for every key that it takes
// out of the whole configuration, "text KEY" for every text and name of a field in its code.
const readKeys = `import ast, glob, sys
database = [sys.argv[1] + "/synapse/storage/" + name for name in ("database.py", "engines/postgres.py")] # which get its part alone
for name in glob.glob(sys.argv[1] + "/synapse/config/*.py") + [sys.argv[1] + "/synapse/handlers/password_policy.py"] + database:
    for n in ast.walk(ast.parse(open(name).read())):
        whole = lambda v: isinstance(v, ast.Name) and v.id == "config" and name not in database
        text = lambda v: isinstance(v, ast.Constant) and isinstance(v.value, str)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in ("get", "pop", "setdefault") and whole(n.func.value) and n.args and text(n.args[0]):
            print("top", n.args[0].value)
        if isinstance(n, ast.Subscript) and whole(n.value) and text(n.slice):
            print("top", n.slice.value)
        # Limits go by a dotted path.
        for word in n.value.split(".") if text(n) and len(n.value) < 80 else []:
            if word.replace("_", "").isalnum():
                print("text", word)
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name):
            print("text", n.target.id)`

// notInConfig are keys that Synapse's schema has and its code spells otherwise.
var notInConfig = []string{"allow_underscore_prefixed_registration"}

// The tree that synapse-known-keys goes by has every key that the newest and the oldest Synapse read at the top of
// homeserver.yaml, and no word that neither of them has.
func TestSynapseKeys(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	src, err := os.ReadFile("../pkg/component/keys/synapse.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tree, findings := finding.Parse("synapse.yaml", src)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	words := make(map[string]bool)
	var versions []string
	for _, at := range []struct{ dir, version string }{
		{output(t, bin, "-c", "import synapse, os; print(os.path.dirname(os.path.dirname(synapse.__file__)))"), output(t, bin, "-c", "import synapse; print(synapse.__version__.split()[0])")},
		{".synapse-oldest", oldestSynapse(t)},
	} {
		tops := 0
		for line := range strings.Lines(output(t, bin, "-c", readKeys, at.dir) + "\n") {
			kind, key, _ := strings.Cut(strings.TrimSpace(line), " ")
			words[key] = true
			if kind != "top" {
				continue
			}
			if tops++; !tree.At(key).Exists() {
				t.Errorf("Synapse %s reads %s, and the tree does not have it", at.version, key)
			}
		}
		if tops < 200 {
			t.Errorf("Synapse %s reads only %d keys", at.version, tops)
		}
		versions = append(versions, at.version)
	}
	var unread func(v source.Value)
	unread = func(v source.Value) {
		for k, below := range v.Entries() {
			if !words[k.Str()] && !slices.Contains(notInConfig, k.Str()) {
				t.Errorf("the tree has %s, and no Synapse does", below.Path())
			}
			unread(below)
		}
		for _, item := range v.Items() {
			unread(item)
		}
	}
	unread(tree.Root())
	for _, v := range versions {
		accepted(t, "Synapse "+v, "the keys of pkg/component/keys/synapse.yaml")
	}
}

// oldestSynapse is the version that ./run put beside the newest.
func oldestSynapse(t *testing.T) string {
	t.Helper()
	names, err := os.ReadDir(program(t, ".synapse-oldest"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range names {
		if v, ok := strings.CutPrefix(e.Name(), "matrix_synapse-"); ok {
			return strings.TrimSuffix(v, ".dist-info")
		}
	}
	t.Fatal("there is no Synapse in .synapse-oldest")
	return ""
}
