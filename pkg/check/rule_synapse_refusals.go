package check

import (
	"fmt"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// checkRefusals has the combinations that newer releases stop on; synapse-version-supports reports them.
func checkRefusals(r *Reporter, s *deployment.Synapse) {
	img := s.ImageAt.Site("the version")
	from := func(minor int) bool { return !olderThan(s, minor) }
	limit, auth := s.Config.At("limit_profile_requests_to_users_who_share_rooms"), s.Config.At("require_auth_for_profile_requests")
	if limit.True() && !auth.True() && from(163) && !s.Partial() {
		r.Fail("limit_profile_requests_to_users_who_share_rooms needs require_auth_for_profile_requests since Synapse 1.163.0; Synapse does not start",
			"require_auth_for_profile_requests: true", limit.Site(""), auth.Site(""), img)
	}
	redis := s.Config.At("redis")
	if user := redis.At("username"); user.Set() && redis.At("enabled").True() && !redis.At("password").Set() && !redis.At("password_path").Set() && from(162) {
		r.Fail("redis has a username and no password; Synapse does not start", "password_path: the file with the password", user.Site(""), img)
	}
	for i, t := range s.Config.At("matrix_rtc", "transports").Items() {
		kind := t.At("type")
		switch {
		case !from(161):
		case !kind.IsString():
			r.Fail(fmt.Sprintf("transport %d of matrix_rtc has no type; Synapse does not start", i+1), "type: livekit", t.Site(""), img)
		case kind.Str() == "livekit" && t.At("url").Str() == "" && t.At("livekit_service_url").Str() == "":
			r.Fail(fmt.Sprintf("transport %d of matrix_rtc has neither a url nor a livekit_service_url; Synapse does not start", i+1), "livekit_service_url: the URL of lk-jwt-service", t.Site(""), img)
		}
	}
	checkWriters(r, s)
}

// checkWriters has each process that writes a stream stand in instance_map.
func checkWriters(r *Reporter, s *deployment.Synapse) {
	instances := s.Config.At("instance_map")
	for _, w := range component.Streams {
		if lacks(s, w.Mapped) || s.Partial() {
			continue
		}
		for _, name := range oneOrMore(s.Config.At("stream_writers", w.Name)) {
			if name.Str() != "master" && !instances.At(name.Str()).Exists() {
				r.Fail(fmt.Sprintf("%s writes the stream %s and does not stand in instance_map; Synapse does not start", name.Str(), w.Name), name.Str()+": {host: …, port: …}", instances.Site(""), name.Site("named here"))
			}
		}
	}
}

// oneOrMore gives the items of a list, or the one text that may stand for it.
func oneOrMore(v source.Value) []source.Value {
	if v.IsString() {
		return []source.Value{v}
	}
	return v.Items()
}
