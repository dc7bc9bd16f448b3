package compare

// inside says of settings by which programs of the stack find each other that they fit, wherever they stand.
const (
	inside   = "it is about who finds whom inside the stack, and there each finds the same"
	logged   = "it is only what is logged and how: `docker compose logs` shows it"
	example  = "it is what the bridge's own example has, and takes where it is missing"
	asItWas  = "{section}: {extra: …} with {key}: {old}"
	withName = "database: {names: …} with the name that it has now"
)

// configured are the verdicts on what stands in the configurations of programs.
var configured = []verdict{
	{about: "**", doc: "log config", key: "**filename**", where: onOld, kind: Decision, why: "the log is not written to this file any more; `docker compose logs` has it", keep: "compose: {extra: …} with a log configuration of your own"},
	{about: "**", doc: "log config", key: "**", kind: Same, why: logged},
	{about: "bridge **", doc: "config", key: "logging.**filename**", where: onOld, kind: Decision, why: "the log is not written to this file any more; `docker compose logs` has it", keep: asItWas},
	{about: "bridge **", doc: "config", key: "logging**", kind: Same, why: logged},
	{about: "**", doc: "own registration", key: "**", kind: Same, why: "the bridge does not read it while it runs: Synapse's copy and its own configuration count"},

	// Connections to databases.
	{about: "synapse", doc: "config", key: "database **", where: onOurs, kind: Same, why: "database.name says which database it had before"},
	{about: "**", doc: "config", key: "database host", kind: Decision, why: "it is another server: nothing that was there before is on it", keep: "database: {external: {host: {old}}}"},
	{about: "**", doc: "config", key: "database port", kind: Decision, why: "it is another server: nothing that was there before is on it", keep: "database: {external: …} with port: {old}"},
	{about: "**", doc: "config", key: "database name", kind: Decision, why: "it is another database, with nothing in it", keep: withName},
	{about: "**", doc: "config", key: "database user", kind: Decision, why: "it is another role, which does not own what is there", keep: withName},
	{about: "**", doc: "config", key: "database password", kind: Decision, why: "the role gets this password at the next start, and whoever has the old one does not get in", keep: "stackgen secrets set, with the old one"},
	{about: "**", doc: "config", key: "database sslmode", kind: Decision, why: "the connection is encrypted in another way, or not", keep: asItWas},
	{about: "synapse", doc: "config", key: "database.args.cp_**", where: onOurs, kind: Same, why: "it keeps a few more connections at hand"},
	{about: "synapse", doc: "config", key: "database.name", old: "sqlite3", kind: Lost, why: "the spec keeps it in PostgreSQL: what is in the file of SQLite has to be ported first (synapse_port_db)"},
	{about: "synapse", doc: "config", key: "database.args.database", where: onOld, kind: Same, why: "database.name says which database it had before"},
	{about: "bridge **", doc: "config", key: "**database.type", old: "sqlite3**", kind: Lost, why: "the spec keeps it in PostgreSQL: what is in the file of SQLite has to be moved first, or the bridge knows nobody"},
	{about: "bridge **", doc: "config", key: "**database.uri", where: onOld, kind: Same, why: "its type says which database it had before"},
	{about: "bridge **", doc: "config", key: "database **", where: onOurs, kind: Same, why: "its type says which database it had before"},

	// Synapse.
	{about: "synapse", doc: "config", key: "server_name", kind: Decision, why: "it is another server: no user and no room of the old one exists there", keep: "server_name: {old}"},
	{about: "synapse", doc: "config", key: "signing_key", kind: Decision, why: "other servers know the server by its key, and reject what is signed with another one", keep: "stackgen secrets set synapse.signing_key, with the old one"},
	{about: "synapse", doc: "config", key: "media_store_path", kind: Decision, why: "what was uploaded so far is not found: copy {old} to {new} before the start", keep: "synapse: {data: …} with the directory that it has now"},
	{about: "synapse", doc: "config", key: "macaroon_secret_key", where: onOurs, kind: Safer, why: "links that Synapse signs hold for longer than until its next start"},
	{about: "synapse", doc: "config", key: "form_secret", where: onOurs, kind: Safer, why: "links that Synapse signs hold for longer than until its next start"},
	{about: "synapse", doc: "config", key: "macaroon_secret_key", kind: Decision, why: "tokens of guests and links that Synapse signed with the old one do not hold any more", keep: "stackgen secrets set synapse.macaroon_secret_key, with the old one"},
	{about: "synapse", doc: "config", key: "suppress_key_server_warning", kind: Same, why: "it only keeps a warning out of the log"},
	{about: "synapse", doc: "config", key: "pid_file", kind: Same, why: "nobody reads it in a container"},
	{about: "synapse", doc: "config", key: "uploads_path", where: onOld, kind: Same, why: "no release of today reads it"},
	{about: "synapse", doc: "config", key: "listeners[**].bind_addresses**", kind: Same, why: "the container listens on its own addresses either way"},
	{about: "synapse", doc: "config", key: "listeners[**].x_forwarded", where: onOurs, kind: Safer, why: "Synapse sees the address of who asks, not that of the proxy"},
	{about: "synapse", doc: "config", key: "listeners[**].type", where: onOurs, kind: Same, why: inside},
	{about: "synapse", doc: "config", key: "listeners[**].resources[**].names[media]", where: onOld, kind: Same, why: "it is a part of client"},
	{about: "synapse", doc: "config", key: "listeners[**].resources[**].names[static]", where: onOld, kind: Same, why: "it is a part of client"},
	{about: "synapse", doc: "config", key: "listeners[**].resources[**].names[keys]", where: onOld, kind: Same, why: "it is a part of federation"},
	{about: "synapse", doc: "config", key: "matrix_authentication_service.endpoint", kind: Same, where: onBoth, why: inside},
	{about: "synapse", doc: "config", key: "matrix_authentication_service**", where: onOurs, kind: Decision, why: "Synapse leaves logins to MAS, which knows nobody before syn2mas has run", keep: "stackgen import --keep-auth, which leaves logins to Synapse"},
	{about: "synapse", doc: "config", key: "experimental_features.msc3861**", where: onOld, kind: Same, why: "matrix_authentication_service says it to today's Synapse"},
	{about: "synapse", doc: "config", key: "password_config**", kind: Decision, why: "who may log in by a password, and how it is kept, is MAS's to say from then on", keep: "stackgen import --keep-auth, which leaves logins to Synapse"},
	{about: "synapse", doc: "config", key: "oidc_**", where: onOld, kind: Decision, why: "logins through this provider are MAS's to serve from then on", keep: "stackgen import --keep-auth, which leaves logins to Synapse"},
	{about: "synapse", doc: "config", key: "registration_shared_secret", where: onOld, kind: Decision, why: "register_new_matrix_user does not work any more; beside MAS it is mas-cli manage register-user", keep: asItWas},
	{about: "synapse", doc: "registration **", key: "url", where: onBoth, kind: Same, why: inside},
	{about: "synapse", doc: "registration **", key: "**msc**", where: onOurs, kind: Same, why: "it lets the bridge have devices without a login, and does nothing where it asks for none"},
	{about: "synapse", doc: "registration **", key: "**", where: onOurs, kind: Decision, why: "Synapse grants this appservice what it had not before", keep: "bridges, with what it has now"},
	{about: "synapse", doc: "registration **", key: "**", where: onOld, kind: Decision, why: "Synapse does not grant it any more: tokens are rejected, or users and rooms are nobody's", keep: "synapse: {registrations: […]} with the file"},
	{about: "synapse", doc: "registration **", key: "**_token", kind: Decision, why: "who has the old token is rejected", keep: "stackgen secrets set, with the old one"},
	{about: "synapse", doc: "registration **", key: "**", kind: Decision, why: "Synapse grants the appservice something else", keep: "bridges, with what it has now"},

	{about: "synapse", doc: "config", key: "serve_server_wellknown", kind: Same, why: "who answers for the name of the server is compared request by request"},
	{about: "synapse", doc: "config", key: "instance_map**", where: onOld, kind: Lost, why: "the spec has no workers of Synapse: one process does all from then on"},
	{about: "synapse", doc: "config", key: "redis**", where: onOld, kind: Lost, why: "it is for workers of Synapse, which the spec has not"},
	{about: "synapse", doc: "config", key: "**_instances**", where: onOld, kind: Lost, why: "the spec has no workers of Synapse: one process does all from then on"},
	{about: "synapse", doc: "config", key: "stream_writers**", where: onOld, kind: Lost, why: "the spec has no workers of Synapse: one process does all from then on"},
	{about: "synapse", doc: "config", key: "worker_**", where: onOld, kind: Lost, why: "the spec has no workers of Synapse: one process does all from then on"},
	{about: "synapse", doc: "config", key: "send_federation", where: onOld, kind: Lost, why: "the spec has no workers of Synapse: one process does all from then on"},

	// MAS.
	{about: "mas", doc: "config", key: "http.listeners[**].resources[adminapi]**", where: onOld, kind: Decision, why: "the admin API is not served any more", keep: "auth: {extra: {http: …}} with this listener"},
	{about: "mas", doc: "config", key: "http.listeners[**].resources[prometheus]**", where: onOld, kind: Decision, why: "no metrics are served any more", keep: "auth: {extra: {http: …}} with this listener"},
	{about: "mas", doc: "config", key: "http.listeners**", kind: Same, why: "which listener answers what is compared request by request"},
	{about: "mas", doc: "config", key: "http.issuer", where: onOld, kind: Same, why: "where it is not written it is the public address"},
	{about: "mas", doc: "config", key: "http.public_base", kind: Decision, why: "it is the issuer of every session of a client that logs in with OpenID Connect: these log in again", keep: "auth: {public_url: {old}}"},
	{about: "mas", doc: "config", key: "matrix.endpoint", where: onBoth, kind: Same, why: inside},
	{about: "mas", doc: "config", key: "matrix.secret", kind: Decision, why: "it is a secret of Synapse and MAS alone, which both have anew", keep: "stackgen secrets set, with the old one"},
	{about: "mas", doc: "config", key: "secrets.encryption", kind: Decision, why: "what is encrypted in its database cannot be read with another one, and every browser session ends", keep: "stackgen secrets set auth.encryption, with the old one"},
	{about: "mas", doc: "config", key: "secrets.keys[**", where: onOurs, kind: Same, why: "one more key to sign with takes nothing from the others"},
	{about: "mas", doc: "config", key: "secrets.keys[**", kind: Decision, why: "what it signed cannot be checked any more: who is logging in at that moment begins again", keep: "stackgen secrets set auth.key_rsa, with the old one"},
	{about: "mas", doc: "config", key: "account.email_change_allowed", where: onOurs, kind: Same, new: "false", why: "nothing here sends mail, and a new address asks for a code"},
	{about: "mas", doc: "config", key: "upstream_oauth2.providers[**].human_name", where: onOurs, kind: Same, why: "it is what the login page shows"},
	{about: "mas", doc: "config", key: "upstream_oauth2.providers[**].on_backchannel_logout", where: onOurs, kind: Safer, why: "who logs out at the provider is logged out here"},
	{about: "mas", doc: "config", key: "email.reply_to", where: onOurs, kind: Same, why: "nobody reads answers to these mails at root@localhost"},

	// Bridges.
	{about: "bridge **", doc: "config", key: "homeserver.address", where: onBoth, kind: Same, why: inside},
	{about: "bridge **", doc: "config", key: "homeserver.domain", kind: Decision, why: "the bridge is another server's", keep: "server_name: {old}"},
	{about: "bridge **", doc: "config", key: "homeserver.**_interval**", where: onOld, kind: Decision, why: "{about} goes back to its default", keep: asItWas},
	{about: "bridge **", doc: "config", key: "appservice.address", kind: Same, why: inside},
	{about: "bridge **", doc: "config", key: "appservice.hostname", kind: Same, why: "the container listens on its own addresses either way"},
	{about: "bridge **", doc: "config", key: "appservice.port", kind: Same, why: "Synapse is told the same port by the registration"},
	{about: "bridge **", doc: "config", key: "bridge.command_prefix", where: onOurs, kind: Same, why: example},
	{about: "bridge **", doc: "config", key: "appservice.bot.displayname", where: onOurs, kind: Same, why: example},
	{about: "bridge **", doc: "config", key: "appservice.bot.avatar", where: onOurs, kind: Same, why: example},
	{about: "bridge **", doc: "config", key: "appservice.bot.username", where: onOurs, kind: Same, why: example},
	{about: "bridge **", doc: "config", key: "**username_template", where: onOurs, kind: Same, why: example},
	{about: "bridge **", doc: "config", key: "provisioning.**", where: onOurs, kind: Same, why: "where it is missing the bridge makes one up at each start"},
	{about: "bridge **", doc: "config", key: "**.provisioning.shared_secret", where: onOurs, kind: Same, why: "where it is missing the bridge makes one up at each start"},
	{about: "bridge **", doc: "config", key: "public_media.**", where: onOurs, kind: Same, why: "where it is missing the bridge makes one up at each start"},
	{about: "bridge **", doc: "config", key: "direct_media.server_key", where: onOurs, kind: Same, why: "where it is missing the bridge makes one up at each start"},
	{about: "bridge **", doc: "config", key: "**.direct_media.server_key", where: onOurs, kind: Same, why: "where it is missing the bridge makes one up at each start"},
	{about: "bridge **", doc: "config", key: "**avatar_proxy_key", where: onOurs, kind: Same, why: "where it is missing the bridge makes one up at each start"},
	{about: "bridge **", doc: "config", key: "env_config_prefix", where: onOld, kind: Same, why: "what its environment says is compared as a part of its configuration"},
	{about: "bridge **", doc: "config", key: "**as_token", kind: Decision, why: "Synapse rejects a bridge with another token than the registered one", keep: "stackgen secrets set, with the old one"},
	{about: "bridge **", doc: "config", key: "**hs_token", kind: Decision, why: "the bridge rejects what Synapse sends with another token", keep: "stackgen secrets set, with the old one"},
	{about: "bridge **", doc: "config", key: "**pickle_key", kind: Decision, why: "the bridge cannot read its encryption keys with another one", keep: "stackgen secrets set, with the old one"},
	{about: "bridge **", doc: "config", key: "**encryption.msc4190", where: onEither, kind: Decision, new: "true", why: "the bot has another device from then on: the bridge throws its old encryption keys away", keep: asItWas},
	{about: "bridge **", doc: "config", key: "**encryption.self_sign", new: "true", kind: Safer, why: "others see that the device of the bot is its own"},
	{about: "bridge **", doc: "config", key: "double_puppet.secrets.**", where: onBoth, kind: Decision, why: "the bridge speaks for its users with another token", keep: "stackgen secrets set, with the old one"},

	// What the spec has a field for.
	{about: "synapse", doc: "config", key: "public_baseurl", kind: Decision, why: "clients and other servers are led to another host", keep: "hosts: {matrix: …} with the host of {old}"},
	{about: "synapse", doc: "config", key: "max_upload_size", kind: Decision, why: "larger or smaller files can be sent", keep: "synapse: {max_upload_size: {old}}"},
	{about: "synapse", doc: "config", key: "media_retention.local_media_lifetime", kind: Decision, why: "what users uploaded is deleted at another time, or never", keep: "synapse: {media_retention: {local: {old}}}"},
	{about: "synapse", doc: "config", key: "media_retention.remote_media_lifetime", kind: Decision, why: "copies of what others uploaded are deleted at another time, or never", keep: "synapse: {media_retention: {remote: {old}}}"},
	{about: "synapse", doc: "config", key: "retention**", kind: Decision, why: "messages are deleted at another time, or never", keep: "synapse: {retention: …} with {key}: {old}"},
	{about: "synapse", doc: "config", key: "url_preview_enabled", kind: Decision, why: "links in messages have a preview, or have none", keep: "synapse: {url_preview: {old}}"},
	{about: "synapse", doc: "config", key: "turn_uris**", kind: Decision, why: "calls go by another TURN server, or by none", keep: "synapse: {turn: {uris: […]}}"},
	{about: "synapse", doc: "config", key: "turn_shared_secret", kind: Decision, why: "the TURN server rejects who calls", keep: "stackgen secrets set, with the old one"},
	{about: "synapse", doc: "config", key: "email.**", kind: Decision, why: "mail is sent in another way, or not", keep: "email: …, with {key}: {old}"},
	{about: "mas", doc: "config", key: "email.**", kind: Decision, why: "mail is sent in another way, or not", keep: "email: …, with {key}: {old}"},
	{about: "mas", doc: "config", key: "passwords.enabled", kind: Decision, why: "users log in with a password, or cannot any more", keep: "auth: {passwords: {old}}"},
	{about: "mas", doc: "config", key: "upstream_oauth2.providers[**].id", kind: Decision, why: "the id is a part of the callback URL and of every user's link: nobody logs in through it before each is linked again", keep: "stackgen secrets set, with the old one"},
	{about: "mas", doc: "config", key: "upstream_oauth2.providers**", kind: Decision, why: "users log in through the provider in another way, or cannot", keep: "auth: {upstream: …} with {key}: {old}"},
	{about: "bridge **", doc: "config", key: "bridge.permissions**", kind: Decision, why: "others may use the bridge than before", keep: "permissions: with {key}: {old}"},
	{about: "bridge **", doc: "config", key: "appservice.id", kind: Decision, why: "Synapse has the bot and every ghost as users of the old id", keep: "{section}: {id: {old}}"},
	{about: "bridge **", doc: "config", key: "appservice.bot**username", kind: Decision, why: "the old bot is the one in the rooms", keep: "{section}: {bot: {old}}"},
	{about: "bridge **", doc: "config", key: "**username_template", kind: Decision, why: "everybody of the other network is a new user, and the old ones stay in the rooms", keep: "{section}: {username_prefix: …} with what {old} begins with"},

	// What is left has the effect that it has.
	{about: "backup**", doc: "config", key: "**", kind: Decision, why: "the backup keeps something else, or for another time", keep: "backup: {borgmatic: {extra: …}} with {key}: {old}"},
	{about: "service **", doc: "config", key: "**", kind: Decision, why: "the program does otherwise"},
	{about: "**", doc: "config", key: "**", where: onOld, kind: Decision, why: "{about} goes back to its default", keep: asItWas},
	{about: "**", doc: "config", key: "**", where: onOurs, kind: Decision, why: "{about} had its default", keep: "{section}: {extra: …} without {key}"},
	{about: "**", doc: "config", key: "**", where: onBoth, kind: Decision, why: "{about} does otherwise from then on", keep: asItWas},
}
