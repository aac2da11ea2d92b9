using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Tests.Forwarding;

/// <summary>A STOW-RS service in this process that answers as it is told.</summary>
public sealed class StowServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private StowServer(WebApplication application) => _application = application;

    public ConcurrentQueue<(string Path, string? Authorization, string ContentType, string Accept, byte[] Body)> Requests { get; } = [];

    /// <summary>Answers; the body has been read by then. Default: stored.</summary>
    public Func<HttpContext, byte[], Task> Answer { get; set; } = static (context, body) => StoredAsync(context, UidOf(body));

    /// <summary>Before the body is read; false: it is not read and nothing is answered any more.</summary>
    public Func<HttpContext, Task<bool>> Begin { get; set; } = static _ => Task.FromResult(true);

    public string Url { get; private set; } = "";

    /// <param name="certificate">Null: plain HTTP. Else clients must show a certificate of their own.</param>
    public static async Task<StowServer> StartAsync(X509Certificate2? certificate = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                if (certificate is not null)
                {
                    listen.UseHttps(new HttpsConnectionAdapterOptions
                    {
                        ServerCertificate = certificate,
                        ClientCertificateMode = ClientCertificateMode.RequireCertificate,
                        ClientCertificateValidation = static (_, _, errors) => !errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable),
                    });
                }
            });
        });
        if (certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        WebApplication application = builder.Build();
        var server = new StowServer(application);
        application.Run(server.HandleAsync);
        await application.StartAsync(TestContext.Current.CancellationToken);
        server.Url = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/dicom-web";
        return server;
    }

    public static Task StoredAsync(HttpContext context, string uid, int status = 200) => JsonAsync(context, status,
        $$$"""{"00081199":{"vr":"SQ","Value":[{"00081150":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},"00081155":{"vr":"UI","Value":["{{{uid}}}"]}}]}}""");

    public static Task StoredWithWarningAsync(HttpContext context, string uid, int reason) => JsonAsync(context, 202,
        $$$"""{"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["{{{uid}}}"]},"00081196":{"vr":"US","Value":[{{{reason}}}]}}]}}""");

    public static Task FailedAsync(HttpContext context, string uid, int reason, int status = 409) => JsonAsync(context, status,
        $$$"""{"00081198":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["{{{uid}}}"]},"00081197":{"vr":"US","Value":[{{{reason}}}]}}]}}""");

    public static async Task JsonAsync(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/dicom+json";
        await context.Response.WriteAsync(json);
    }

    /// <summary>The Part 10 file that the one part holds.</summary>
    public static DicomFile FileIn(byte[] body)
    {
        string text = Encoding.Latin1.GetString(body);
        text.ShouldStartWith("--");
        string boundary = text[..text.IndexOf("\r\n", StringComparison.Ordinal)];
        int start = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        int end = text.LastIndexOf($"\r\n{boundary}--\r\n", StringComparison.Ordinal);
        text[(end + 2)..].ShouldBe($"{boundary}--\r\n");
        return DicomFile.Read(body.AsMemory(start, end - start), DicomReadOptions.StrictDefault);
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
    }

    private static string UidOf(byte[] body) => FileIn(body).DataSet.GetText(Tags.SOPInstanceUID)!;

    private async Task HandleAsync(HttpContext context)
    {
        if (!await Begin(context))
        {
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        Requests.Enqueue((context.Request.Method + " " + context.Request.Path, context.Request.Headers.Authorization, context.Request.ContentType ?? "",
            context.Request.Headers.Accept.ToString(), body.ToArray()));
        await Answer(context, body.ToArray());
    }
}
