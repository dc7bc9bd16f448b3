module philipp.info/stackgen/conformance/nginx

go 1.26.0

require philipp.info/stackgen v0.0.0

require gopkg.in/yaml.v3 v3.0.1 // indirect

replace philipp.info/stackgen => ../..
