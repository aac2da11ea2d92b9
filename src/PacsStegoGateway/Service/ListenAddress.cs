using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace PacsStegoGateway.Service;

/// <summary>Where the server really listens: the port is the system's choice when the configuration said 0. The plain port when there are two.</summary>
public static class ListenAddress
{
    public static IPEndPoint Of(IServer server)
    {
        var uri = new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return new IPEndPoint(IPAddress.Parse(uri.Host.Trim('[', ']')), uri.Port);
    }

    /// <summary>The same from this machine: "any" address becomes the loopback.</summary>
    public static IPEndPoint Reachable(IServer server) => Of(server) switch
    {
        { Address: var any } of when any.Equals(IPAddress.Any) => new IPEndPoint(IPAddress.Loopback, of.Port),
        { Address: var any } of when any.Equals(IPAddress.IPv6Any) => new IPEndPoint(IPAddress.IPv6Loopback, of.Port),
        var of => of,
    };
}
