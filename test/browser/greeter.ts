/** A repository whose app says what its config says: the smallest thing that shows a change of config. */
export const greeter = (page = "one"): Record<string, string> => ({
  Dockerfile: [
    "FROM busybox:1.36",
    "WORKDIR /site",
    "COPY . .",
    "RUN chmod +x cgi-bin/headers start.sh",
    "ENV PORT=8080",
    "EXPOSE 8080",
    'CMD ["./start.sh"]',
  ].join("\n"),
  "start.sh": [
    "#!/bin/sh",
    'echo "<h1>$GREETING from page {{page}}</h1>" > index.html',
    'echo "listening on $PORT"',
    "exec httpd -f -p $PORT",
  ]
    .join("\n")
    .replace("{{page}}", page),
  // Tells what reaches the app, and tries to overwrite the dashboard's session.
  "cgi-bin/headers": [
    "#!/bin/sh",
    'printf "Content-Type: text/plain\\r\\nSet-Cookie: diplo_session=stolen; Path=/\\r\\nSet-Cookie: own=1; Path=/\\r\\n\\r\\n"',
    'echo "cookie=$HTTP_COOKIE"',
  ].join("\n"),
  ".env.example": "GREETING=hello\n",
});
