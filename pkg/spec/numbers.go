package spec

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Limits of the programs that the numbers reach.
const (
	maxID   = math.MaxInt32 // of a uid or gid: runc refuses more ("uids and gids must be in range 0-2147483647")
	maxSafe = 1<<53 - 1     // of a number in JSON that every client reads: m.upload.size
	maxAge  = 1000 * 365 * 24 * 60 * 60
)

// unitOf are the factors of sizes (bytes) and durations (seconds) as Synapse reads them: config/_base.py,
// parse_size and parse_duration.
var unitOf = map[byte]uint64{
	'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30,
	's': 1, 'm': 60, 'h': 60 * 60, 'd': 24 * 60 * 60, 'w': 7 * 24 * 60 * 60, 'y': 365 * 24 * 60 * 60,
}

// exceeds reports whether a number, with a unit or without, is larger than limit or than any number.
func exceeds(text string, limit uint64) bool {
	factor := uint64(1)
	if n := len(text); n > 0 && unitOf[text[n-1]] > 0 {
		factor, text = unitOf[text[n-1]], text[:n-1]
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return err != nil || n > limit/factor
}

// checkNumbers refuses numbers that have the right form and no program could hold.
func (s *Spec) checkNumbers(d *decoder) {
	if uid, gid, ok := strings.Cut(s.Owner, ":"); ok && (exceeds(uid, maxID) || exceeds(gid, maxID)) {
		d.fail(s.At("owner"), fmt.Sprintf("owner holds a number above %d; no container starts as such a user", maxID), `owner: "1000:1000"`)
	}
	if v := s.At("synapse", "max_upload_size"); v.Set() && exceeds(s.Synapse.MaxUploadSize, maxSafe) {
		d.fail(v, "synapse.max_upload_size is larger than any file; clients could not read the number", "max_upload_size: 100M")
	}
	for _, v := range []source.Value{
		s.At("synapse", "media_retention", "local"), s.At("synapse", "media_retention", "remote"), s.At("synapse", "retention", "max_lifetime"),
	} {
		if v.Set() && exceeds(v.Str(), maxAge) {
			d.fail(v, v.Path()+" is longer than 1000 years; the database could not hold the moment before which things are deleted", "remove the line to keep them for ever")
		}
	}
	for _, v := range s.At("auth", "upstream").Entries() {
		issuer := v.At("issuer")
		if u, err := url.Parse(issuer.Str()); err == nil && u.Port() != "" && exceeds(u.Port(), math.MaxUint16) {
			d.fail(issuer, issuer.Path()+" has a port above 65535; MAS could not reach the provider", "issuer: https://sso.example.org/realms/main")
		}
	}
	for i, v := range s.At("backup", "borgmatic", "repositories").Items() {
		path := v.At("path")
		if u, err := url.Parse(path.Str()); err == nil && u.Port() != "" && exceeds(u.Port(), math.MaxUint16) {
			d.fail(path, fmt.Sprintf("the path of repository %d has a port above 65535; no backup would be made", i+1), "path: ssh://borg@backup.example.org/./matrix")
		}
	}
}
