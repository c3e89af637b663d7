apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "dashboard.name" . }}
  labels: {{- include "dashboard.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {{- include "dashboard.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "dashboard.selector" . | nindent 8 }}
      annotations:
        checksum/config: {{ include (print $.Template.BasePath "/configmap.tpl") . | sha256sum }}
    spec:
      serviceAccountName: {{ include "dashboard.name" . }}
      containers:
        - name: dashboard
          image: {{ .Values.image }}
          ports:
            - {name: http, containerPort: 80}
          readinessProbe:
            httpGet: {path: /, port: http}
          resources: {{- toYaml .Values.resources | nindent 12 }}
          volumeMounts:
            - {name: pages, mountPath: /usr/share/nginx/html}
            - {name: site, mountPath: /usr/share/nginx/html/site}
      volumes:
        - name: pages
          configMap: {name: {{ include "dashboard.name" . }}}
        - name: site
          configMap: {name: {{ .Values.site }}}
