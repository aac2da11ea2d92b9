using System.Net;

namespace PacsStegoGateway.Configuration;

/// <summary>An address or a range in prefix notation, IPv4 or IPv6.</summary>
public readonly record struct AddressRange(IPNetwork Network)
{
    public static bool TryParse(string text, out AddressRange range)
    {
        range = default;
        if (IPAddress.TryParse(text, out IPAddress? single))
        {
            range = new AddressRange(new IPNetwork(single, single.GetAddressBytes().Length * 8));
            return true;
        }

        bool parsed = IPNetwork.TryParse(text, out IPNetwork network);
        range = new AddressRange(network);
        return parsed;
    }

    /// <summary>An IPv4 address that came over an IPv6 socket counts as IPv4.</summary>
    public bool Contains(IPAddress address) =>
        Network.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
