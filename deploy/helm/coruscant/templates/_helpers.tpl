{{/* Names and labels. A component is a process of local/processes.py, or a job. */}}
{{- define "coruscant.labels" -}}
{{ include "coruscant.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "coruscant.selector" -}}
app.kubernetes.io/name: coruscant
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "coruscant.metadata" -}}
name: {{ printf "%s-%s" .root.Release.Name .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "coruscant.labels" . | nindent 2 }}
{{- end }}

{{/* What every pod has beside its container. */}}
{{- define "coruscant.pod" -}}
serviceAccountName: {{ .root.Values.serviceAccountName }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "coruscant.selector" . | nindent 8 }}
volumes:
  # All that is ever written.
  - name: tmp
    emptyDir:
      medium: Memory
      sizeLimit: 64Mi
  - name: secrets
    secret:
      secretName: {{ .root.Values.secrets.existingSecret }}
      defaultMode: 0440
      items:
        {{- range .root.Values.secrets.files }}
        - key: {{ if and (eq . "DATABASE_URL") $.owner }}{{ $.root.Values.migrate.databaseUrlKey }}{{ else }}{{ . }}{{ end }}
          path: {{ . }}
        {{- end }}
{{- end }}

{{/* What every container has beside its command, its probes and its resources. */}}
{{- define "coruscant.container" -}}
name: {{ .component }}
{{- with .root.Values.image }}
image: {{ if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.root.Chart.AppVersion }}{{ end }}
imagePullPolicy: {{ .pullPolicy }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
env:
  {{- range $name, $value := .root.Values.settings }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
  {{- range .root.Values.secrets.files }}
  - name: {{ . }}_FILE
    value: /run/secrets/coruscant/{{ . }}
  {{- end }}
  {{- range .root.Values.secrets.environment }}
  - name: {{ . }}
    valueFrom:
      secretKeyRef:
        name: {{ $.root.Values.secrets.existingSecret }}
        key: {{ . }}
  {{- end }}
  {{- if eq .component "flower" }}
  # Flower's own, as name:password; without it the pod does not start.
  - name: FLOWER_BASIC_AUTH
    valueFrom:
      secretKeyRef:
        name: {{ .root.Values.secrets.existingSecret }}
        key: FLOWER_BASIC_AUTH
  {{- end }}
  - name: HEARTBEAT_FILE
    value: /tmp/heartbeat
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: secrets
    mountPath: /run/secrets/coruscant
    readOnly: true
{{- end }}

{{/* The command of a process that needs the database: it waits for migrations by itself, as in compose. */}}
{{- define "coruscant.migrated" -}}
command: [sh, -c, 'python manage.py wait_until_migrated && exec "$@"', --]
{{- end }}

{{/*
Workers and beats are asked by the file that they touch, for readiness only. A liveness probe would restart them while
the broker is away, and Kubernetes waits ever longer between restarts; a loop that stands still ends its own process.
*/}}
{{- define "coruscant.heartbeat" -}}
readinessProbe:
  exec:
    command: [sh, -c, find /tmp/heartbeat -mmin -1 | grep -q .]
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{/* One pod at a time may be taken away on purpose; one that is not ready keeps no node from being emptied. */}}
{{- define "coruscant.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "coruscant.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "coruscant.selector" . | nindent 6 }}
{{- end }}

{{/* The policy that lets in whom a list of peers names, and nobody where there is none. */}}
{{- define "coruscant.network" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "coruscant.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "coruscant.selector" . | nindent 6 }}
  policyTypes: [Ingress]
  {{- if .from }}
  ingress:
    - from:
        {{- toYaml .from | nindent 8 }}
      ports:
        - port: {{ .port }}
  {{- else }}
  ingress: []
  {{- end }}
{{- end }}
