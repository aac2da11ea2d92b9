using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Text;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Forwarding;

/// <summary>The connections to one STOW-RS service, over our own TLS profile.</summary>
public sealed class StowService : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="tls">Null: plain.</param>
    /// <param name="limit">Null: none.</param>
    public StowService(DestinationOptions destination, TlsClient? tls, BandwidthLimit? limit)
    {
        Destination = destination;
        string root = destination.Url.TrimEnd('/');
        Studies = new Uri(root.EndsWith("/studies", StringComparison.Ordinal) ? root : root + "/studies");
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(destination.ConnectTimeoutSeconds),
            MaxConnectionsPerServer = destination.Associations,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(destination.ReleaseAfterSeconds),
            MaxResponseDrainSize = StowResponse.MostBytes,
            ConnectCallback = (context, cancellation) => ConnectAsync(context.DnsEndPoint, tls, limit, cancellation),
        })
        {
            // Silence is what is bounded, not the time that a large object takes.
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/dicom+json"));
        if (destination.BearerToken is { } token)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        else if (destination.UserName.Length > 0)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{destination.UserName}:{destination.Password}")));
        }
    }

    public DestinationOptions Destination { get; }

    /// <summary>The resource that is posted to.</summary>
    public Uri Studies { get; }

    public Task<HttpResponseMessage> PostAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    public void Dispose() => _http.Dispose();

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint to, TlsClient? tls, BandwidthLimit? limit, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        Stream connection = new NetworkStream(socket, ownsSocket: true);
        connection = limit is null ? connection : new LimitedStream(connection, limit);
        return tls is null ? connection : await tls.AuthenticateAsync(connection, to.Host, cancellationToken);
    }
}

/// <summary>STOW-RS of one instance a request: <c>multipart/related; type="application/dicom"</c> (PS3.18 10.5, 8.6.1).</summary>
public sealed class StowSender(StowService service) : IObjectSender
{
    private readonly string _name = service.Destination.KnownAs;
    private readonly TimeSpan _patience = TimeSpan.FromSeconds(service.Destination.AnswerTimeoutSeconds);

    /// <summary>What it did not take: found out once while there is work, not with every object.</summary>
    private readonly Dictionary<string, SendOutcome.OtherForm> _notTaken = [];

    public bool IsOpen => false;

    public async Task<SendOutcome> SendAsync(ObjectToSend instance, CancellationToken cancellationToken)
    {
        if (_notTaken.TryGetValue(instance.TransferSyntax.UID, out SendOutcome.OtherForm? known))
        {
            return known;
        }

        SendOutcome outcome = await PostAsync(instance, cancellationToken);
        if (outcome is SendOutcome.OtherForm not)
        {
            _notTaken[instance.TransferSyntax.UID] = not;
        }

        return outcome;
    }

    public Task ReleaseAsync(CancellationToken cancellationToken) => CloseAsync();

    public Task CloseAsync()
    {
        _notTaken.Clear();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<SendOutcome> PostAsync(ObjectToSend instance, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(_patience + TimeSpan.FromSeconds(service.Destination.ConnectTimeoutSeconds));
        using var content = new InstanceContent(instance, () => silence.CancelAfter(_patience));
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, service.Studies) { Content = content };
            // A service that says no (who are you, too large) says so before a large object has been sent for nothing.
            request.Headers.ExpectContinue = content.Length > InstanceContent.LongestUnasked;
            using HttpResponseMessage response = await service.PostAsync(request, silence.Token);
            // Whatever it says it is: Orthanc says nothing.
            ReadOnlyMemory<byte>? body = await ReadAsync(response.Content, silence.Token);
            return StowResponse.Judge(_name, instance, response.StatusCode, body, RetryAfter(response.Headers.RetryAfter));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or HttpRequestException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (content.Unreadable is { } own)
            {
                ExceptionDispatchInfo.Throw(own);
            }

            return content.HasBegun
                ? new SendOutcome.Later($"The connection with {_name} failed while sending: {Reason(e)}.")
                : new SendOutcome.Away($"{_name} cannot be reached: {Reason(e)}.");
        }
    }

    /// <summary>Null when it is longer than any that answers about one instance.</summary>
    private static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using Stream stream = await content.ReadAsStreamAsync(cancellationToken);
        byte[] body = new byte[Math.Min(content.Headers.ContentLength ?? StowResponse.MostBytes, StowResponse.MostBytes) + 1];
        int length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken);
        return length < body.Length ? body.AsMemory(0, length) : null;
    }

    private static TimeSpan? RetryAfter(RetryConditionHeaderValue? header) =>
        header?.Delta ?? (header?.Date is { } date ? TimeSpan.FromTicks(Math.Max(0, (date - DateTimeOffset.UtcNow).Ticks)) : null);

    private static string Reason(Exception e) => e switch
    {
        OperationCanceledException => "it said nothing for too long",
        { InnerException: TlsException } => "the TLS handshake failed",
        HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } http => http.HttpRequestError.ToString(),
        { InnerException: SocketException socket } => socket.SocketErrorCode.ToString(),
        _ => "the connection broke",
    };

    /// <summary>One part, the Part 10 file, written as it is read.</summary>
    private sealed class InstanceContent : HttpContent
    {
        /// <summary>A longer one waits for the service to say that it may come, bytes.</summary>
        public const long LongestUnasked = 8L << 20;

        private readonly ByteSource _bytes;
        private readonly Action _progress;

        public InstanceContent(ObjectToSend instance, Action progress)
        {
            _progress = progress;
            string boundary = Guid.NewGuid().ToString("N");
            byte[] meta = FileMeta.Prefix(instance.SOPClassUID, instance.SOPInstanceUID, instance.TransferSyntax.UID);
            // The type alone: Orthanc passes over, without a word, a part that also names its transfer syntax, which the file tells.
            string head = string.Create(CultureInfo.InvariantCulture,
                $"--{boundary}\r\nContent-Type: application/dicom\r\nContent-Length: {meta.Length + instance.DataSet.Length}\r\n\r\n");
            _bytes = ByteSource.Join(
                ByteSource.Of(Encoding.ASCII.GetBytes(head)), ByteSource.Of(meta), instance.DataSet, ByteSource.Of(Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n")));
            Headers.ContentType = MediaTypeHeaderValue.Parse($"multipart/related; type=\"application/dicom\"; boundary={boundary}");
        }

        public long Length => _bytes.Length;

        /// <summary>The service may have seen some of the object.</summary>
        public bool HasBegun { get; private set; }

        /// <summary>Why our own bytes could not be read, when they could not.</summary>
        public IOException? Unreadable { get; private set; }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            HasBegun = true;
            byte[] chunk = new byte[ByteSource.ChunkLength];
            for (long offset = 0; offset < _bytes.Length;)
            {
                Memory<byte> next = chunk.AsMemory(0, (int)Math.Min(chunk.Length, _bytes.Length - offset));
                try
                {
                    _bytes.Read(offset, next.Span);
                }
                catch (IOException e)
                {
                    Unreadable = e;
                    throw;
                }

                await stream.WriteAsync(next, cancellationToken);
                offset += next.Length;
                _progress();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _bytes.Length;
            return true;
        }
    }
}
