package deployment_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"philipp.info/stackgen/pkg/deployment"
)

// TestScripts: what a script writes by its lines, and what it only reads, makes elsewhere or talks of.
func TestScripts(t *testing.T) {
	for _, c := range []struct {
		script, text, file string
		writes             bool
	}{
		{"setup.sh", "envsubst < synapse/homeserver.tmpl > synapse/homeserver.yaml", "synapse/homeserver.yaml", true},
		{"setup.sh", "cat >\"./turn/turnserver.conf\" <<EOF", "turn/turnserver.conf", true},
		{"setup.sh", "cp -n element/config.sample.json \\\n  element/config.json || exit 1", "element/config.json", true},
		{"setup.sh", "cp conf/homeserver.yaml synapse/", "synapse/homeserver.yaml", true},
		{"scripts/up.sh", "(umask 077 && echo \"$KEY: $SECRET\" | sudo tee livekit/keys.yaml >/dev/null)", "livekit/keys.yaml", true},
		{"scripts/up.sh", "CONF=\"$ROOT/synapse/homeserver.yaml\"\nsed -i \"s/@@NAME@@/$NAME/\" \"${CONF}\"", "synapse/homeserver.yaml", true},
		{"scripts/up.sh", "cd synapse\nmv homeserver.new homeserver.yaml", "synapse/homeserver.yaml", true},
		{"scripts/up.sh", "openssl req -x509 -keyout certs/key.pem -out certs/cert.pem", "certs/cert.pem", true},
		{"up.sh", "mkdir -p data/{synapse,postgres}", "data/postgres", true},
		{"Makefile", "init:\n\tdocker compose run --rm synapse generate", "data/homeserver.yaml", true},
		{"up.sh", "docker run --rm -v ./data:/data matrixdotorg/synapse:latest generate", "data/example.org.log.config", true},
		{"install.py", "with open('bridge/config.yaml', 'w') as f:", "bridge/config.yaml", true},
		{".github/workflows/deploy.yml", "      - run: echo \"$ENV\" > matrix/.env", "matrix/.env", true},
		{"README.md", "Make a configuration:\n\n```\ndocker run -it --rm \\\n    -v $(pwd)/data/synapse:/data \\\n    -e UID=1000 \\\n    matrixdotorg/synapse:latest generate\n```\n", "data/synapse/homeserver.yaml", true},
		{"README.md", "```bash\n$ cp .env.example .env\n```\n", ".env", true},
		{"README.md", "1. Then:\n   ~~~console\n   $ docker compose run --rm synapse generate\n   ~~~\n", "synapse/homeserver.yaml", true},
		{"README.md", "```\ndocker run -v $(pwd)/data:/data matrixdotorg/synapse generate\n```\n", "synapse/homeserver.yaml", false},
		{"README.md", "Run docker compose run --rm synapse generate, or cp a b.\n", "synapse/homeserver.yaml", false},
		{"README.md", "```yaml\ncommand: cp example.yaml synapse/homeserver.yaml\n```\n", "synapse/homeserver.yaml", false},
		{"README.md", "```sh\ndocker compose up -d\n```\ncp a synapse/homeserver.yaml\n", "synapse/homeserver.yaml", false},
		{"docs/MATRIX.md", "```sh\ndocker cp synapse:/data/homeserver.yaml ./synapse/\n```\n", "synapse/homeserver.yaml", true},
		{"notes/MATRIX.md", "```sh\ndocker cp synapse:/data/homeserver.yaml ./synapse/\n```\n", "synapse/homeserver.yaml", false},
		{"README.md", "The platform writes the `.env` file.\n", ".env", true},
		{"README.md", "The platform writes the `.env` file.\n", "synapse.env", false},
		{"deploy.yml", "- hosts: all\n  vars:\n    root: /opt/matrix\n    config: \"{{ root }}/synapse/homeserver.yaml\"\n  tasks:\n    - ansible.builtin.template:\n        src: homeserver.yaml.j2\n        dest: \"{{ config }}\"\n", "synapse/homeserver.yaml", true},
		{"tasks/main.yml", "- copy:\n    src: nginx.conf\n    dest: '{{ elsewhere }}/nginx/nginx.conf'\n", "nginx/nginx.conf", true},
		{"tasks/main.yml", "- copy:\n    src: nginx.conf\n    dest: '{{ elsewhere }}/nginx/nginx.conf'\n", "other/nginx.conf", false},
		{"docker-compose.yml", "services:\n  a:\n    volumes: [{dest: synapse/homeserver.yaml}]\n", "synapse/homeserver.yaml", false},
		{"CHANGES.md", "```sh\ncp a synapse/homeserver.yaml\n```\n", "synapse/homeserver.yaml", false},
		{"deploy", "#!/bin/sh\nsed -e s/a/b/ t > \"$DEST\"/homeserver.yaml", "synapse/homeserver.yaml", true},

		{"setup.sh", "fill() {\n  sed -i -e \"s|{{A}}|$A|g\" \\\n    \"$1\"\n}\nfill \"$dir/synapse/homeserver.yaml\"", "synapse/homeserver.yaml", true},
		{"setup.sh", "say() {\n  echo \"$1\"\n}\nsay synapse/homeserver.yaml", "synapse/homeserver.yaml", false},
		{"setup.sh", "out = os.path.join(os.environ.get(\"DIR\", \".\"), \"caddy\", \"Caddyfile\")\nwith open(out, \"w\") as f:", "caddy/Caddyfile", true},
		{"setup.sh", "src = os.path.join(here, \"caddy\", \"Caddyfile\")\nwith open(src) as f:", "caddy/Caddyfile", false},
		{"images/build.sh", "git clone --depth 1 https://git.example.org/a/synapse-worker.git", "images/synapse-worker", true},
		{"init.sh", "cd images/\ngit clone https://git.example.org/a/worker\ncd ../tools\nmake", "images/worker", true},
		{"up.sh", "docker run -it --rm -v $(pwd)/synapse:/data -e SYNAPSE_SERVER_NAME=a.example matrixdotorg/synapse:latest generate", "synapse/homeserver.yaml", true},
		{"up.sh", "docker run --rm \\\n  -v `pwd`/synapse:/data \\\n  ghcr.io/element-hq/synapse generate", "synapse/a.example.signing.key", true},
		{"up.sh", "docker run --rm -v $(pwd)/synapse:/data matrixdotorg/synapse generate", "other/homeserver.yaml", false},
		{"up.sh", "docker run --rm -v $PWD/signal:/data:z dock.mau.dev/mautrix/signal:latest", "signal/registration.yaml", true},
		{"up.sh", "docker run --rm -v \"$(pwd)\"/signal:/data:z dock.mau.dev/mautrix/signal:latest", "signal/config.yaml", true},
		{"up.sh", "docker run --rm -v \"$(pwd)\"/signal:/data:z dock.mau.dev/mautrix/signal:latest", "whatsapp/config.yaml", false},
		{"template.toml", "[[config.mounts]]\nfilePath = \"homeserver.yaml\"\ncontent = \"\"\"\n", "../files/homeserver.yaml", true},
		{"template.toml", "[[config.mounts]]\nfilePath = \"./homeserver.yaml\"\n", "../files/log.config", false},
		{"tokens.sh", "for b in signal discord; do\n  sed -i \"s/MARK/$t/\" synapse/appservices/$b.yaml\ndone", "synapse/appservices/discord.yaml", true},
		{"tokens.sh", "sed -i \"s/MARK/$t/\" synapse/appservices/${b}-registration.yaml", "synapse/appservices/discord.yaml", false},
		{"tokens.sh", "sed -i \"s/MARK/$t/\" \"$dir/$b.yaml\"", "synapse/homeserver.yaml", false},
		{"fill.sh", "find \"$1\" -type f \\( -name \"*.yml\" -o -name '*.yaml' \\) ! -name \"compose.*\" -print0 | while IFS= read -r -d '' file; do\n  sed -i \"s|$mark|$value|g\" \"$file\"\ndone", "homeserver.yaml", true},
		{"fill.sh", "find . -name '*.yml' | while read -r file; do\n  sed -i \"s|$mark|$value|g\" \"$file\"\ndone", "homeserver.yaml", false},
		{"fill.sh", "find . -name '*.yaml' | while read -r file; do\n  echo \"$file\"\ndone", "homeserver.yaml", false},
		{"fill.sh", "find . -name '*.yaml' -exec sed -i 's/MARK/x/' {} +", "synapse/homeserver.yaml", true},
		{"fill.sh", "find . -name '*.yaml' -exec grep MARK {} +", "synapse/homeserver.yaml", false},
		{"up.sh", "cat > $(pwd)/synapse/log.config <<EOF", "synapse/log.config", true},
		{"up.sh", "cat > $(dirname $0)/synapse/log.config <<EOF", "synapse/log.config", true},
		{"up.sh", "ROOT=$(cd $(dirname \"$0\") && pwd)\ncat <<EOF > $ROOT/synapse/log.config", "synapse/log.config", true},
		{"up.sh", "cat <<-'EOF' | sudo tee synapse/log.config >/dev/null\nx\nEOF", "synapse/log.config", true},
		{"up.sh", "mkdir -p \"$DATA\"\ncd \"$DATA\" || exit 1\ncat > log.config <<EOF", "synapse/log.config", true},
		{"up.sh", "cd \"$(dirname \"$0\")\"\ncat > config.yaml <<EOF", "bridge/config.yaml", false},
		{"up.sh", "cd \"$(dirname \"$0\")/bridge\"\ncat > config.yaml <<EOF", "bridge/config.yaml", true},
		{"up.sh", "cd $(dirname $0)/bridge && cat > config.yaml <<EOF", "bridge/config.yaml", true},
		{"up.sh", "cd bridge\ntouch x\ncd ..\ncat > config.yaml <<EOF", "bridge/config.yaml", false},
		{"up.sh", "(cd bridge && touch x)\ncat > config.yaml <<EOF", "bridge/config.yaml", false},
		{"up.sh", "(cd bridge && cat > config.yaml <<EOF\na: b\nEOF\n)", "bridge/config.yaml", true},
		{"up.sh", "cat <<EOF\nNow do: cp a.yaml synapse/homeserver.yaml\nEOF", "synapse/homeserver.yaml", false},
		{"up.sh", "cat > help.txt <<'EOF'\nsed s/a/b/ x > synapse/homeserver.yaml\nEOF\necho done", "synapse/homeserver.yaml", false},
		{"up.sh", "cat > help.txt <<'EOF'\nx\nEOF\necho done > synapse/homeserver.yaml", "synapse/homeserver.yaml", true},
		{"up.sh", "ssh host bash <<EOF\ncat /a > synapse/homeserver.yaml\nEOF", "synapse/homeserver.yaml", true},
		{"up.sh", "python3 - <<EOF\nopen('synapse/homeserver.yaml', 'w').write(x)\nEOF", "synapse/homeserver.yaml", true},
		{"up.sh", "N=$((1 << 3))\ncat x > synapse/homeserver.yaml", "synapse/homeserver.yaml", true},
		{"up.sh", "read X <<< \"$Y\"\ncat x > synapse/homeserver.yaml", "synapse/homeserver.yaml", true},
		{"up.sh", "go() {\n  cd web\n}\nfetch() {\n  mv new.json config.json\n}", "config.json", true},
		{"up.sh", "cd web\nsay() {\n  echo x\n}\ncat > config.json <<EOF\nEOF", "web/config.json", true},
		{"up.sh", "ssh_host \"cat > $DIR/config.json\" <<EOF\n{}\nEOF", "config.json", true},
		{"up.sh", "DIR=/opt/chat\nssh_host \"cat > $DIR/config.json\" <<EOF\n{}\nEOF", "config.json", true},
		{"up.sh", "function go ()\n{\n  cd web\n}\nfunction fetch ()\n{\n  mv new.json config.json\n}", "config.json", true},
		{"up.sh", "cat > /etc/nginx/config.json <<EOF", "config.json", false},
		{"up.sh", "cat > web/config.json <<EOF", "config.json", false},
		{"up.sh", "docker run --rm -v \"$HERE/synapse:/data\" --entrypoint python3 matrixdotorg/synapse:latest -m synapse.app.homeserver -c /data/homeserver.yaml --generate-keys", "synapse/signing.key", true},
		{"up.sh", "bash <<OUTER\ncat > a.txt <<'INNER'\nx\nINNER\nOUTER\ncat x > web/config.json", "web/config.json", true},
		{"up.sh", "cat > \"$DIR/install.sh\" <<OUTER\ncat > a.txt <<'INNER'\nx\nINNER\ncat x > web/other.json\nOUTER\ncat x > web/config.json", "web/config.json", true},
		{"up.sh", "DIR=\"~/chat\"\nssh_host \"cat > $DIR/config.json\" <<EOF\n{}\nEOF", "config.json", true},
		{"up.sh", "bash -c 'cd web && cat x > config.json'", "web/config.json", true},
		{"up.sh", "ssh host \"cat $DIR/config.json\"", "config.json", false},
		{"up.sh", "mkdir web\ncd web\nwget https://example.org/a/config.json", "web/config.json", true},
		{"up.sh", "wget -q -P web https://example.org/a/config.json?x=1", "web/config.json", true},
		{"up.sh", "wget -qO web/config.json https://example.org/a/sample.json", "web/config.json", true},
		{"up.sh", "wget -qO web/config.json https://example.org/a/sample.json", "sample.json", false},
		{"up.sh", "curl -sLO https://example.org/a/config.json", "config.json", true},
		{"up.sh", "curl -fsSLo web/config.json https://example.org/a/sample.json", "web/config.json", true},
		{"up.sh", "curl -fsSL https://example.org/a/config.json | jq .", "config.json", false},
		{"backup.sh", "cp -r ~/keys/* \"$KEPT/\"", "synapse/homeserver.yaml", false},
		{"backup.sh", "cp -r ./* /srv/kept/", "homeserver.yaml", false},
		{"setup.sh", "cp samples/* \"$ROOT/synapse/\"", "synapse/homeserver.yaml", true},
		{"setup.sh", "cp samples/* synapse/", "synapse/homeserver.yaml", true},
		{"tests/run.sh", "cat > \"$WORK/synapse/homeserver.yaml\" <<EOF", "synapse/homeserver.yaml", false},
		{"tests/run.sh", "ROOT=\"$(git rev-parse --show-toplevel)\"\ncat > \"$ROOT/synapse/homeserver.yaml\" <<EOF", "synapse/homeserver.yaml", true},
		{"tests/run.sh", "make() {\n  cat x > \"$1\"\n}\nmake synapse/homeserver.yaml", "synapse/homeserver.yaml", true},
		{"setup.sh", "# cat > synapse/homeserver.yaml", "synapse/homeserver.yaml", false},
		{"setup.sh", "grep -q server_name synapse/homeserver.yaml >/dev/null 2>&1", "synapse/homeserver.yaml", false},
		{"setup.sh", "cp synapse/homeserver.yaml /tmp/homeserver.yaml", "synapse/homeserver.yaml", false},
		{"setup.sh", "tar czf x.tgz synapse/homeserver.yaml > log.txt", "synapse/homeserver.yaml", false},
		{"setup.sh", "echo write synapse/homeserver.yaml first >&2", "synapse/homeserver.yaml", false},
		{"setup.sh", "cat > element/config.json <<EOF", "hookshot/config.json", false},
		{"setup.sh", "cat > config.yaml <<EOF", "bridge/config.yaml", false},
		{"setup.sh", "cat > /etc/nginx/nginx.conf <<EOF", "nginx/nginx.conf", false},
		{"setup.sh", "sed s/a/b/ synapse/homeserver.yaml", "synapse/homeserver.yaml", false},
		{"demo.sh", "python3 -m synapse.app.homeserver --generate-config -c demo/8080.yaml", "files/homeserver.yaml", false},
		{"notes", "docker compose run --rm synapse generate", "data/homeserver.yaml", false},
		{"README.md", "cat > synapse/homeserver.yaml", "synapse/homeserver.yaml", false},
	} {
		s := deployment.NewScripts(fstest.MapFS{c.script: {Data: []byte(c.text + "\n")}})
		want := ""
		if c.writes {
			want = c.script
		}
		if got := s.Write(c.file); got != want {
			t.Errorf("%s: %q writes %s: %q, want %q", c.script, c.text, c.file, got, want)
		}
	}
}

// TestScriptsBounded: what nobody would write is read in bounded time all the same.
func TestScriptsBounded(t *testing.T) {
	for _, text := range []string{"$(", "`", "<<", "(", "a$(b", "\"$(", "$PWD"} {
		s := deployment.NewScripts(fstest.MapFS{"setup.sh": {Data: []byte("x " + strings.Repeat(text, 100_000/len(text)) + "\n")}})
		began := time.Now()
		s.Write("synapse/homeserver.yaml")
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%q: %v", text, took)
		}
	}
}

// TestScriptsOfMany: what sets a stack up is found among the programs of a large repository, whatever it is called.
func TestScriptsOfMany(t *testing.T) {
	files := fstest.MapFS{
		"zz/setup.sh": {Data: []byte("cat > synapse/log.config\n")},
		"zz/deploy":   {Data: []byte("#!/bin/sh\ncat > synapse/other.config\n")},
		"zz/make.py":  {Data: []byte("open('synapse/third.config', 'w')\n")},
	}
	for i := range 380 {
		files[fmt.Sprintf("app/%03d.py", i)] = &fstest.MapFile{Data: []byte("print()\n")}
	}
	for i := range 300 {
		files[fmt.Sprintf("docs/%03d.md", i)] = &fstest.MapFile{Data: []byte("Text.\n")}
	}
	scripts := deployment.NewScripts(files)
	for name, want := range map[string]string{"synapse/log.config": "zz/setup.sh", "synapse/other.config": "zz/deploy", "synapse/third.config": ""} {
		if got := scripts.Write(name); got != want {
			t.Errorf("%s: written by %q, not %q", name, got, want)
		}
	}
}

// TestFill: a script that only has Synapse generate its configuration puts nothing in the place of what stands there.
func TestFill(t *testing.T) {
	generate := "docker run -v $(pwd)/synapse:/data matrixdotorg/synapse generate\n"
	for text, want := range map[string]string{
		generate: "",
		generate + "sed -i \"s/synapse/$SECRET/\" synapse/homeserver.yaml\n": "setup.sh",
		generate + "sed -i \"s/EXAMPLE/$SECRET/\" synapse/homeserver.yaml\n": "setup.sh",
		generate + "sed -i \"s/synapse/$SECRET/\" other.yaml\n":              "",
	} {
		scripts := deployment.NewScripts(fstest.MapFS{"setup.sh": {Data: []byte(text)}})
		if got := scripts.Fill("synapse/homeserver.yaml", "synapse"); got != want {
			t.Errorf("%q: %q", text, got)
		}
		if scripts.Write("synapse/homeserver.yaml") != "setup.sh" {
			t.Errorf("%q writes no configuration", text)
		}
	}
}

// TestDocs: what docs beside a stack tell of makes what is missing, and changes nothing that is there.
func TestDocs(t *testing.T) {
	docs := &fstest.MapFile{Data: []byte("```\nsed -i s/old/new/ homeserver.yaml\n```\n")}
	if by := deployment.NewScripts(fstest.MapFS{"docs/setup.md": docs}).Write("homeserver.yaml"); by != "docs/setup.md" {
		t.Errorf("missing, and made by %q", by)
	}
	there := fstest.MapFS{"docs/setup.md": docs, "homeserver.yaml": {}}
	if by := deployment.NewScripts(there).Write("homeserver.yaml"); by != "" {
		t.Errorf("there, and changed by %q", by)
	}
	if by := deployment.NewScripts(there).Fill("homeserver.yaml", "old"); by != "" {
		t.Errorf("there, and filled in by %q", by)
	}
	there["README.md"] = docs
	if by := deployment.NewScripts(there).Write("homeserver.yaml"); by != "README.md" {
		t.Errorf("changed by %q, and not the README", by)
	}
}
