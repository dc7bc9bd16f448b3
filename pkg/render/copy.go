package render

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/source"
)

// copies adds the files of somebody's own to the bundle. One whose path is that of a rendered file, or lies within
// one, is a misfit. Each belongs to the user of the service that mounts it, as far as compose says so.
func (b *Bundle) copies(compose *source.File) source.Misfits {
	var misfits source.Misfits
	for _, c := range b.Stack.Files {
		clash := func(f File) bool {
			return f.Path == c.Path || strings.HasPrefix(f.Path, c.Path+"/") || f.Data != nil && strings.HasPrefix(c.Path, f.Path+"/")
		}
		if i := slices.IndexFunc(b.Files, clash); i >= 0 || c.Path == "docker-compose.yml" || strings.HasPrefix(c.Path, "docker-compose.yml/") {
			what, fix := strings.Join(c.At.Keys()[:2], "."), "another path; what is rendered is changed by extra"
			if c.At.Keys()[0] == "synapse" {
				fix = "another name for the file"
			}
			misfits = append(misfits, source.Misfit{At: c.At, Message: fmt.Sprintf("%s: %q collides with a file that stackgen renders", what, c.Path), Fix: fix})
			continue
		}
		data, wrong := b.filled(c)
		misfits = append(misfits, wrong...)
		f := File{Path: c.Path, Data: data, UID: -1, GID: -1, Copied: true, spec: c.At.Keys()}
		for name, v := range compose.At("services").Entries() {
			mounts := slices.ContainsFunc(confighash.Reads(compose, name.Str()), func(p string) bool { return c.Path == p || strings.HasPrefix(c.Path, p+"/") })
			if uid, gid, ok := userOf(v.At("user").Str()); mounts && ok {
				f.UID, f.GID = uid, gid
				break
			}
		}
		b.Files = append(b.Files, f)
	}
	return misfits
}

// userOf reads uid:gid, or a uid whose group is called alike.
func userOf(user string) (uid, gid int, ok bool) {
	u, g, both := strings.Cut(user, ":")
	if !both {
		g = u
	}
	uid, err := strconv.Atoi(u)
	gid, errG := strconv.Atoi(g)
	return uid, gid, err == nil && errG == nil && uid >= 0 && gid >= 0
}

// hashExtra gives the services that compose.extra adds the label of those that are rendered, where they read files
// and have none.
func (b *Bundle) hashExtra(compose *File, parsed *source.File, fsys fs.FS) error {
	var over strings.Builder
	for key, v := range parsed.At("services").Entries() {
		name, labels := key.Str(), v.At("labels")
		if b.Stack.Role(name) != "" || len(confighash.Reads(parsed, name)) == 0 || v.Kind() != source.Mapping {
			continue
		}
		sum, err := confighash.Of(fsys, confighash.Reads(parsed, name), nil)
		switch {
		case err != nil || labels.At(confighash.Label).Exists():
		case labels.Kind() == source.Sequence:
			if !slices.ContainsFunc(labels.Items(), func(l source.Value) bool { return strings.HasPrefix(l.Str(), confighash.Label+"=") }) {
				fmt.Fprintf(&over, "  %s: {+labels: [%s]}\n", source.Quote(name), source.Quote(confighash.Label+"="+sum))
			}
		default:
			fmt.Fprintf(&over, "  %s: {labels: {%s: %s}}\n", source.Quote(name), confighash.Label, source.Quote(sum))
		}
	}
	if over.Len() == 0 {
		return nil
	}
	laid, problem := source.Parse("labels", []byte("services:\n"+over.String()))
	if problem != nil {
		return fmt.Errorf("labels: %s", problem.Message)
	}
	var err error
	compose.Data, err = source.Merge(compose.Data, laid.Root())
	return err
}

// laid is the value of an extra block that stands at the path of keys in the file; absent where none does.
func laid(extra source.Value, f File, keys []string) source.Value {
	for i, key := range keys {
		list := extra.At("+" + key)
		if !list.Exists() || extra.At(key).Exists() {
			extra = extra.At(key)
			continue
		}
		if i+1 == len(keys) {
			return list
		}
		// What is appended stands at the end.
		parsed, _ := source.Parse(f.Path, f.Data)
		n, err := strconv.Atoi(keys[i+1])
		if n -= parsed.At(keys[:i+1]...).Len() - list.Len(); err != nil || n < 0 {
			return source.Value{}
		}
		return list.At(append([]string{strconv.Itoa(n)}, keys[i+2:]...)...)
	}
	return extra
}
