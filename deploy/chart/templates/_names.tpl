{{/*
What the objects are called, and the labels by which they find each other.
*/}}

{{/* The name that all others begin with: short enough for "-headless" behind it. */}}
{{- define "relay.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "relay.headlessName" -}}{{ include "relay.name" . }}-headless{{- end -}}
{{- define "relay.metricsName" -}}{{ include "relay.name" . }}-metrics{{- end -}}
{{- define "relay.flagsName" -}}{{ include "relay.name" . }}-flags{{- end -}}

{{- define "relay.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "relay.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* Prometheus' job of the release's relays. */}}
{{- define "relay.job" -}}{{ .Values.prometheusRule.job | default (include "relay.name" .) }}{{- end -}}

{{- define "relay.tlsSecretName" -}}
{{- if .Values.tls.secretName -}}
{{- .Values.tls.secretName -}}
{{- else if .Values.tls.certManager.enabled -}}
{{- include "relay.name" . }}-tls
{{- end -}}
{{- end -}}

{{/* What selects the relay's pods. Kubernetes lets nobody change it later: no value is in here. */}}
{{- define "relay.selector" -}}
app.kubernetes.io/name: wormhole-relay
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: relay
{{- end -}}

{{/* What selects the pod of `helm test`. */}}
{{- define "relay.testSelector" -}}
{{- set (include "relay.selector" . | fromYaml) "app.kubernetes.io/component" "test" | toYaml -}}
{{- end -}}

{{/* The labels of every object but the pods of `helm test`; commonLabels cannot change the others. */}}
{{- define "relay.labels" -}}
{{- $own := dict "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "wormhole-sync" -}}
{{- mergeOverwrite (deepCopy (.Values.commonLabels | default dict)) $own (include "relay.selector" . | fromYaml) | toYaml -}}
{{- end -}}

{{/* metadata of an object: list CONTEXT NAME, and perhaps a dict with labels and annotations of its own. */}}
{{- define "relay.metadata" -}}
{{- $context := index . 0 -}}
{{- $extra := dict -}}
{{- if gt (len .) 2 }}{{ $extra = index . 2 }}{{ end -}}
name: {{ index . 1 | quote }}
namespace: {{ $extra.namespace | default $context.Release.Namespace | quote }}
labels:
  {{- mergeOverwrite (deepCopy ($extra.labels | default dict)) (include "relay.labels" $context | fromYaml) | toYaml | nindent 2 }}
{{- with mergeOverwrite (deepCopy ($context.Values.commonAnnotations | default dict)) ($extra.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "relay.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Where clients inside the cluster find the relay. The last dot spares six of eight DNS questions. */}}
{{- define "relay.target" -}}
{{- printf "%s.%s.svc.%s.:%d" (include "relay.name" .) .Release.Namespace .Values.clusterDomain (int .Values.service.port) -}}
{{- end -}}
{{- define "relay.headlessTarget" -}}
{{- printf "dns:///%s.%s.svc.%s.:47180" (include "relay.headlessName" .) .Release.Namespace .Values.clusterDomain -}}
{{- end -}}
