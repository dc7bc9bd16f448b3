// Package kubernetes holds the manifests against the very code by which Kubernetes' API server takes an object or refuses it. It is a
// module of its own, for what that code brings along.
package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	extensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	crd "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/api/pod"
	apiservice "k8s.io/kubernetes/pkg/api/service"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	ofapps "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	ofautoscaling "k8s.io/kubernetes/pkg/apis/autoscaling/validation"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	ofbatch "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	ofcore "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	ofnetworking "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	ofpolicy "k8s.io/kubernetes/pkg/apis/policy/validation"
	_ "sigs.k8s.io/gateway-api/pkg/consts" // whose module holds the CustomResourceDefinitions
	"sigs.k8s.io/yaml"
)

// strict decodes an object, fills in what it leaves out, and knows each key of it or fails.
var strict = serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDecoder(
	core.SchemeGroupVersion, apps.SchemeGroupVersion, batch.SchemeGroupVersion, networking.SchemeGroupVersion, policy.SchemeGroupVersion, autoscaling.SchemeGroupVersion)

// server answers as an API server does that has some CustomResourceDefinitions.
type server struct {
	custom map[string]*resource // by apiVersion and kind
	asked  map[string]int       // about how many of each kind
}

type resource struct {
	structural *schema.Structural
	validator  crd.SchemaValidator
	cel        *cel.Validator
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{custom: make(map[string]*resource), asked: make(map[string]int)}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{strings.TrimSpace(string(out)) + "/config/crd/standard/*.yaml", "testdata/*/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			s.define(t, file)
		}
	}
	return s
}

func (s *server) define(t *testing.T, file string) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var def extensions.CustomResourceDefinition
	if err := yaml.Unmarshal(src, &def); err != nil {
		t.Fatal(err)
	}
	if def.Kind != "CustomResourceDefinition" {
		return
	}
	for _, v := range def.Spec.Versions {
		var props apiextensions.JSONSchemaProps
		if err := extensions.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &props, nil); err != nil {
			t.Fatal(err)
		}
		structural, err := schema.NewStructural(&props)
		if err != nil {
			t.Fatal(err)
		}
		validator, _, err := crd.NewSchemaValidator(&props)
		if err != nil {
			t.Fatal(err)
		}
		s.custom[def.Spec.Group+"/"+v.Name+" "+def.Spec.Names.Kind] = &resource{structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}
	}
}

// refuses says why an object in YAML is not taken, and what the server warns of.
func (s *server) refuses(ctx context.Context, src []byte) (errs, warnings []string) {
	src, err := yaml.YAMLToJSONStrict(src)
	if err != nil {
		return []string{err.Error()}, nil
	}
	var of struct{ APIVersion, Kind string }
	if err := json.Unmarshal(src, &of); err != nil {
		return []string{err.Error()}, nil
	}
	s.asked[of.Kind]++
	if r := s.custom[of.APIVersion+" "+of.Kind]; r != nil {
		return r.refuses(ctx, src), nil
	}
	obj, _, err := strict.Decode(src, nil, nil)
	if err != nil {
		return []string{err.Error()}, nil
	}
	found, warnings := validate(ctx, obj)
	for _, e := range found {
		errs = append(errs, e.Error())
	}
	return errs, warnings
}

func (r *resource) refuses(ctx context.Context, src []byte) (errs []string) {
	var obj map[string]any
	if err := json.Unmarshal(src, &obj); err != nil {
		return []string{err.Error()}
	}
	integers(obj)
	defaulting.Default(obj, r.structural)
	for _, unknown := range pruning.PruneWithOptions(obj, r.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		errs = append(errs, "unknown field "+unknown)
	}
	found := crd.ValidateCustomResource(nil, obj, r.validator)
	more, _ := r.cel.Validate(ctx, nil, r.structural, obj, nil, celconfig.RuntimeCELCostBudget)
	for _, e := range append(found, more...) {
		errs = append(errs, e.Error())
	}
	return errs
}

// integers makes of JSON's numbers what the server's decoder makes of them.
func integers(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) {
			return int64(v)
		}
	case map[string]any:
		for k, e := range v {
			v[k] = integers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = integers(e)
		}
	}
	return v
}

// validate is what the server's strategy of a kind asks before it makes an object.
func validate(ctx context.Context, obj runtime.Object) (field.ErrorList, []string) {
	template := field.NewPath("spec", "template")
	switch o := obj.(type) {
	case *core.Namespace:
		return ofcore.ValidateNamespace(o), nil
	case *core.Secret:
		return ofcore.ValidateSecret(o), nil
	case *core.ConfigMap:
		return ofcore.ValidateConfigMap(o), nil
	case *core.ServiceAccount:
		return ofcore.ValidateServiceAccount(o), nil
	case *core.Service:
		if apiservice.NeedsHealthCheck(o) {
			o.Spec.HealthCheckNodePort = 30000 // which the server gives it before it asks
		}
		return ofcore.ValidateServiceCreate(o), nil
	case *core.PersistentVolumeClaim:
		return ofcore.ValidatePersistentVolumeClaim(o, ofcore.ValidationOptionsForPersistentVolumeClaimCreate()), nil
	case *apps.StatefulSet:
		opts := pod.GetValidationOptionsFromPodTemplate(&o.Spec.Template, nil)
		return ofapps.ValidateStatefulSet(o, opts), pod.GetWarningsForPodTemplate(ctx, template, &o.Spec.Template, nil)
	case *apps.Deployment:
		opts := pod.GetValidationOptionsFromPodTemplate(&o.Spec.Template, nil)
		return ofapps.ValidateDeployment(o, opts), pod.GetWarningsForPodTemplate(ctx, template, &o.Spec.Template, nil)
	case *batch.Job:
		opts := ofbatch.JobValidationOptions{PodValidationOptions: pod.GetValidationOptionsFromPodTemplate(&o.Spec.Template, nil), RequirePrefixedLabels: true}
		generated(o)
		return ofbatch.ValidateJob(o, opts), pod.GetWarningsForPodTemplate(ctx, template, &o.Spec.Template, nil)
	case *batch.CronJob:
		of := &o.Spec.JobTemplate.Spec.Template
		return ofbatch.ValidateCronJobCreate(o, pod.GetValidationOptionsFromPodTemplate(of, nil)), pod.GetWarningsForPodTemplate(ctx, field.NewPath("spec", "jobTemplate", "spec", "template"), of, nil)
	case *networking.NetworkPolicy:
		return ofnetworking.ValidateNetworkPolicy(o, ofnetworking.ValidationOptionsForNetworking(o, nil)), nil
	case *networking.Ingress:
		return ofnetworking.ValidateIngressCreate(o), nil
	case *policy.PodDisruptionBudget:
		return ofpolicy.ValidatePodDisruptionBudget(o, ofpolicy.PodDisruptionBudgetValidationOptions{}), nil
	case *autoscaling.HorizontalPodAutoscaler:
		return ofautoscaling.ValidateHorizontalPodAutoscaler(o, ofautoscaling.HorizontalPodAutoscalerSpecValidationOptions{MinReplicasLowerBound: 1}), nil
	}
	return field.ErrorList{field.InternalError(nil, fmt.Errorf("this test does not know how the server validates a %T: add it", obj))}, nil
}

// generated gives a Job what the server gives each as it comes: the selector of its pods.
func generated(job *batch.Job) {
	job.UID = "1"
	job.Spec.Selector = &meta.LabelSelector{MatchLabels: map[string]string{batch.ControllerUidLabel: "1"}}
	if job.Spec.Template.Labels == nil {
		job.Spec.Template.Labels = make(map[string]string)
	}
	for _, key := range []string{batch.LegacyJobNameLabel, batch.JobNameLabel} {
		job.Spec.Template.Labels[key] = job.Name
	}
	for _, key := range []string{batch.LegacyControllerUidLabel, batch.ControllerUidLabel} {
		job.Spec.Template.Labels[key] = "1"
	}
}
