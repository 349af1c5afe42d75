{{/*
How the relay is started: how many, with which command line, with which flag file.
*/}}

{{/* How many relays there are, unless autoscaling says. */}}
{{- define "relay.replicas" -}}
{{- if kindIs "invalid" .Values.replicas -}}
{{- ternary 3 1 (eq .Values.store.kind "etcd") -}}
{{- else -}}
{{- int .Values.replicas -}}
{{- end -}}
{{- end -}}

{{/* The fewest that there are when nothing is wrong. */}}
{{- define "relay.fewest" -}}
{{- if .Values.autoscaling.enabled }}{{ int .Values.autoscaling.minReplicas }}{{ else }}{{ include "relay.replicas" . }}{{ end -}}
{{- end -}}

{{/* The most that there are. */}}
{{- define "relay.most" -}}
{{- if .Values.autoscaling.enabled }}{{ int .Values.autoscaling.maxReplicas }}{{ else }}{{ include "relay.replicas" . }}{{ end -}}
{{- end -}}

{{/*
The workload of this release that is in the cluster: list CONTEXT KIND. Empty where Helm asks no cluster
(`helm template`), or where there is none.
*/}}
{{- define "relay.live" -}}
{{- $context := index . 0 -}}
{{- lookup "apps/v1" (index . 1) $context.Release.Namespace (include "relay.name" $context) | toJson -}}
{{- end -}}

{{/* The store.kind that a workload runs with, as its command line says. */}}
{{- define "relay.storeKindOf" -}}
{{- $pod := dig "spec" "template" "spec" (dict) . -}}
{{- range $container := $pod.containers -}}
{{- if eq $container.name "relay" -}}
{{- range $argument := $container.args -}}
{{- if hasPrefix "--store=" $argument }}{{ trimPrefix "--store=" $argument | splitList ":" | first }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Alone over its store, a relay that sleeps before it stops only keeps clients from the next one. */}}
{{- define "relay.preStopSeconds" -}}
{{- if kindIs "invalid" .Values.shutdown.preStopSeconds -}}
{{- ternary 5 0 (eq .Values.store.kind "etcd") -}}
{{- else -}}
{{- int .Values.shutdown.preStopSeconds -}}
{{- end -}}
{{- end -}}

{{- define "relay.store" -}}
{{- if eq .Values.store.kind "etcd" -}}
etcd:{{ join "," .Values.store.etcd.endpoints }}
{{- else if eq .Values.store.kind "sqlite" -}}
sqlite:/var/lib/wormhole/relay.db
{{- else -}}
memory
{{- end -}}
{{- end -}}

{{/* The command line: what the chart itself decides. It wins over the flag file. */}}
{{- define "relay.args" -}}
- --listen=[::]:47180
- --admin-listen=127.0.0.1:47181
- --metrics-listen={{ ternary "[::]:47182" "off" .Values.metrics.enabled }}
- --probe-listen=[::]:47183
- {{ printf "--store=%s" (include "relay.store" .) | quote }}
- --drain-delay={{ int .Values.shutdown.delaySeconds }}s
- --drain-timeout={{ int .Values.shutdown.drainSeconds }}s
{{- if include "relay.tlsSecretName" . }}
- --tls-cert=/etc/wormhole/tls/tls.crt
- --tls-key=/etc/wormhole/tls/tls.key
{{- end }}
{{- if .Values.tls.clientCaSecretName }}
- --tls-client-ca=/etc/wormhole/client-ca/ca.crt
{{- end }}
{{- if .Values.tokens.secretName }}
- --tokens-file=/etc/wormhole/tokens/tokens
{{- end }}
{{- if eq .Values.store.kind "etcd" }}
- {{ printf "--etcd-prefix=%s" .Values.store.etcd.prefix | quote }}
{{- if .Values.store.etcd.tlsSecretName }}
- --etcd-tls-ca=/etc/wormhole/etcd-tls/ca.crt
{{- if .Values.store.etcd.clientCertificate }}
- --etcd-tls-cert=/etc/wormhole/etcd-tls/tls.crt
- --etcd-tls-key=/etc/wormhole/etcd-tls/tls.key
{{- end }}
{{- end }}
{{- if .Values.store.etcd.authSecretName }}
- --etcd-user-file=/etc/wormhole/etcd-auth/username
- --etcd-password-file=/etc/wormhole/etcd-auth/password
{{- end }}
{{- end }}
{{- if .Values.flags }}
- --flagfile=/etc/wormhole/flags/relay.flags
{{- end }}
{{- end -}}

{{/*
The flag file. Helm's numbers are floats (1048576 would be 1.048576e+06), and the relay reads C's
escapes, of which toJson knows others.
*/}}
{{- define "relay.flagFile" -}}
{{- range $name, $value := .Values.flags }}
{{- $text := kindIs "float64" $value | ternary (int64 $value | toString) (toString $value) }}
{{ $name }}="{{ $text | replace "\\" "\\\\" | replace "\"" "\\\"" | replace "\n" "\\n" }}"
{{- end }}
{{- end -}}
