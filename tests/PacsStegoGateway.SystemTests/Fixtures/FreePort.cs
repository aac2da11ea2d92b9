using System.Net;
using System.Net.Sockets;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>TCP ports on which nobody listens.</summary>
public static class FreePort
{
    // Below Linux's range for outgoing connections (32768 up): none of those takes a port before its server does.
    private const int Lowest = 12_000;
    private const int Highest = 30_000;

    private static readonly HashSet<int> Given = [];

    /// <summary>A port of 127.0.0.1 that was free just now and is given to nobody else in this run.</summary>
    public static int Next()
    {
        while (true)
        {
            int port = Random.Shared.Next(Lowest, Highest);
            lock (Given)
            {
                if (!Given.Add(port))
                {
                    continue;
                }
            }

            try
            {
                using var probe = new TcpListener(IPAddress.Any, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken by somebody else: the next draw.
            }
        }
    }
}
