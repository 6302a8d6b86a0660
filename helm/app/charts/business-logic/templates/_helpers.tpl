{{- define "business-logic.selectorLabels" -}}
app: business-logic
app.kubernetes.io/name: business-logic
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "business-logic.labels" -}}
{{ include "business-logic.selectorLabels" . }}
version: v1
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: app
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "business-logic.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default "business-logic" }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "business-logic.image" -}}
{{- $registry := .Values.image.registry | default (((.Values.global).image).registry) -}}
{{- with $registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}
