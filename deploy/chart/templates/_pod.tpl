{{/*
The pod template, which both shapes have.
*/}}

{{- define "relay.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.podSecurity.runAsUser }}
runAsUser: {{ int . }}
{{- end }}
{{- with .Values.podSecurity.runAsGroup }}
runAsGroup: {{ int . }}
{{- end }}
{{- with .Values.podSecurity.fsGroup }}
# The claim's folder and the secrets' files are this group's.
fsGroup: {{ int . }}
# Not each file at each start.
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "relay.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "relay.probe" -}}
grpc:
  port: 47183
  service: {{ .service }}
periodSeconds: {{ int .probe.periodSeconds }}
timeoutSeconds: {{ int .probe.timeoutSeconds }}
failureThreshold: {{ int .probe.failureThreshold }}
{{- end -}}

{{/* A whole secret, never one file of it (subPath): only so the kubelet swaps what is in it. */}}
{{- define "relay.secretVolume" -}}
- name: {{ .name }}
  secret:
    secretName: {{ .secret | quote }}
    # 0440, which YAML 1.2 would read as the number 440.
    defaultMode: 288
{{- end -}}

{{- define "relay.volumes" -}}
{{- if .Values.flags }}
- name: flags
  configMap:
    name: {{ include "relay.flagsName" . | quote }}
{{- end }}
{{- with include "relay.tlsSecretName" . }}
{{ include "relay.secretVolume" (dict "name" "tls" "secret" .) }}
{{- end }}
{{- with .Values.tls.clientCaSecretName }}
{{ include "relay.secretVolume" (dict "name" "client-ca" "secret" .) }}
{{- end }}
{{- with .Values.tokens.secretName }}
{{ include "relay.secretVolume" (dict "name" "tokens" "secret" .) }}
{{- end }}
{{- if eq .Values.store.kind "etcd" }}
{{- with .Values.store.etcd.tlsSecretName }}
{{ include "relay.secretVolume" (dict "name" "etcd-tls" "secret" .) }}
{{- end }}
{{- with .Values.store.etcd.authSecretName }}
{{ include "relay.secretVolume" (dict "name" "etcd-auth" "secret" .) }}
{{- end }}
{{- else if eq .Values.store.kind "sqlite" }}
{{- with .Values.store.sqlite.existingClaim }}
- name: store
  persistentVolumeClaim:
    claimName: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "relay.volumeMounts" -}}
{{- if eq .Values.store.kind "sqlite" }}
- name: store
  mountPath: /var/lib/wormhole
{{- end }}
{{- range include "relay.volumes" . | fromYamlArray }}
{{- if ne .name "store" }}
- name: {{ .name }}
  mountPath: /etc/wormhole/{{ .name }}
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{/*
Over zones and nodes, counting the pods of one version alone: those of the last one, which are about
to go, would skew it.
*/}}
{{- define "relay.spread" -}}
{{- $revision := ternary "controller-revision-hash" "pod-template-hash" (eq .Values.store.kind "sqlite") -}}
{{- range $key, $what := dict "topology.kubernetes.io/zone" .Values.topologySpread.zones "kubernetes.io/hostname" .Values.topologySpread.nodes }}
{{- if ne $what "off" }}
- topologyKey: {{ $key }}
  maxSkew: 1
  whenUnsatisfiable: {{ $what }}
  labelSelector:
    matchLabels:
      {{- include "relay.selector" $ | nindent 6 }}
  matchLabelKeys: [{{ $revision }}]
{{- end }}
{{- end }}
{{- end -}}

{{- define "relay.container" -}}
image: {{ include "relay.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  {{- include "relay.args" . | nindent 2 }}
ports:
  - name: grpc
    containerPort: 47180
  {{- if .Values.metrics.enabled }}
  - name: metrics
    containerPort: 47182
  {{- end }}
  - name: probes
    containerPort: 47183
startupProbe:
  {{- include "relay.probe" (dict "service" "liveness" "probe" .Values.probes.startup) | nindent 2 }}
livenessProbe:
  {{- include "relay.probe" (dict "service" "liveness" "probe" .Values.probes.liveness) | nindent 2 }}
readinessProbe:
  {{- include "relay.probe" (dict "service" "readiness" "probe" .Values.probes.readiness) | nindent 2 }}
{{- with include "relay.preStopSeconds" . | int }}
lifecycle:
  preStop:
    # The endpoints have forgotten this pod before it sends its clients to the others.
    sleep:
      seconds: {{ . }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- include "relay.containerSecurity" . | nindent 2 }}
{{- with include "relay.volumeMounts" . }}
volumeMounts:
  {{- trim . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where pods may run, the test's too. */}}
{{- define "relay.scheduling" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "relay.podTemplate" -}}
metadata:
  labels:
    {{- $labels := mergeOverwrite (deepCopy (.Values.commonLabels | default dict)) (.Values.podLabels | default dict) }}
    {{- /* Not the chart's version: a new chart of the same relay rolls no pod. */}}
    {{- $_ := set $labels "app.kubernetes.io/version" .Chart.AppVersion }}
    {{- mergeOverwrite $labels (include "relay.selector" . | fromYaml) | toYaml | nindent 4 }}
  {{- $annotations := mergeOverwrite (deepCopy (.Values.commonAnnotations | default dict)) (.Values.podAnnotations | default dict) }}
  {{- if .Values.flags }}
  {{- $_ := set $annotations "checksum/flags" (include "relay.flagFile" . | sha256sum) }}
  {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "relay.serviceAccountName" . | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ int .Values.shutdown.graceSeconds }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with include "relay.scheduling" . }}
  {{- trim . | nindent 2 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "relay.spread" . }}
  topologySpreadConstraints:
    {{- trim . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "relay.podSecurity" . | nindent 4 }}
  containers:
    - name: relay
      {{- include "relay.container" . | nindent 6 }}
  {{- with include "relay.volumes" . }}
  volumes:
    {{- trim . | nindent 4 }}
  {{- end }}
{{- end -}}
