package check

import (
	"errors"
	"fmt"
	"io/fs"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/source"
)

var irreversibleChange = Rule{
	ID: "irreversible-change", Severity: finding.Error,
	Summary: "what a stack has to keep is as it was when stackgen rendered it last",
	Why:     "Synapse: \"Found users in database not native to example.org! You cannot change a synapse server_name after it's been configured\"; a bridge: \"bad mac\"; MAS: nobody can log in. Putting the old value back mends it only as long as nothing was written with the new one.",
	Fix:     "Put the old value back. For a stack that has never run, or where the loss is meant: `stackgen render --i-know-what-this-breaks`. The pickle_key of a bridge whose database its forerunner made: " + forerunnerKeys() + ".",
	Source:  "Synapse storage/databases/main/__init__.py, storage/prepare_database.py, config/key.py, config/retention.py; MAS crates/config sections/secrets.rs; mautrix-go v0.30.0 bridgev2/matrix/mxmain/dberror.go, bridgev2/errors.go; the bridges, run with another pickle_key",
	Check: func(d *deployment.Deployment, r *Reporter) {
		before := d.Before
		if before == nil {
			past, err := Past(d.FS)
			if err != nil {
				r.NotChecked(err.Error(), source.Site{Pos: source.Pos{File: manifest.Path}})
			}
			before = past.Fixed
		}
		if len(before) == 0 {
			return // nothing to compare with, and a weak secret takes long to digest
		}
		now := d.Fixed()
		for _, f := range deployment.Broken(before, now) {
			if f.Mends != "" {
				continue // render and diff tell it
			}
			message := f.Name + " is another one than this stack was rendered with; " + f.Breaks
			fix := "put the old value back"
			if !f.Secret {
				message = f.Name + " is " + f.Value + ", but this stack was rendered with " + before[f.Name] + "; " + f.Breaks
				fix += ": " + before[f.Name]
			}
			if f.Instead != "" {
				fix += "; or " + f.Instead
			}
			fix += "; for a stack that has never run, or where that is meant: `stackgen render --i-know-what-this-breaks`"
			r.Fail(message, fix, f.At.Site(""), source.Site{Pos: source.Pos{File: manifest.Path}, Note: "what it was"})
		}
		for _, f := range deployment.Taken(before, now) {
			r.Warn(f.Name+" is another one than this stack was rendered with; right if it comes from the homeserver that moves in here and MAS has no users yet, otherwise: "+f.Breaks,
				"nothing, if it is so; else put the old value back", f.At.Site(""), source.Site{Pos: source.Pos{File: manifest.Path}, Note: "what it was"})
		}
	},
}

// forerunnerKeys names the constants of the bridges before bridgev2, which are no secrets.
func forerunnerKeys() string {
	var keys []string
	for c := range component.Bridges() {
		if m := c.Bridge.Move; m != nil {
			keys = append(keys, fmt.Sprintf("%s before %s: `%s`", c.Title, m.First, m.PickleKey))
		}
	}
	return finding.Sentence(keys, "and")
}

// Past is what stackgen remembers of the stack in a directory; where it remembers nothing, or the error says that it
// cannot be known, that of an empty one.
func Past(dir fs.FS) (*manifest.Manifest, error) {
	m, err := manifest.Read(dir)
	if err != nil && !errors.Is(err, manifest.ErrDamaged) {
		err = fmt.Errorf("%s cannot be read: %s", manifest.Path, deployment.Cause(err))
	}
	return m, err
}
