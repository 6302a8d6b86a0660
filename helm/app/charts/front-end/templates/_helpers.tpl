{{- define "front-end.selectorLabels" -}}
app: front-end
app.kubernetes.io/name: front-end
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "front-end.labels" -}}
{{ include "front-end.selectorLabels" . }}
version: v1
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: app
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "front-end.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default "front-end" }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "front-end.image" -}}
{{- $registry := .Values.image.registry | default (((.Values.global).image).registry) -}}
{{- with $registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}
