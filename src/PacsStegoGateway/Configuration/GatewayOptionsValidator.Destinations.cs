using System.Net;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Forwarding;
using PacsStegoGateway.Retrieval;
using PacsStegoGateway.Routing;

namespace PacsStegoGateway.Configuration;

public static partial class GatewayOptionsValidator
{
    private const int LongestName = 64;

    private static void CheckPacs(GatewayOptions options, Problems found)
    {
        PacsOptions pacs = options.Pacs;
        CheckDestination(pacs, "Pacs", options, found);
        if (pacs.Kind != DestinationKind.Dimse)
        {
            found.Add("Pacs:Kind", "must be dimse: originals are fetched back from it by C-GET or C-MOVE. A STOW-RS service belongs into Destinations.");
        }

        if (pacs.Retrieve == RetrieveMethod.Move && !options.Listen.AETitles.Contains(pacs.CallingAETitle))
        {
            found.Add("Pacs:CallingAETitle", "must be one of Listen:AETitles when Pacs:Retrieve is move: the PACS sends to it.");
        }
    }

    private static void CheckDestinations(GatewayOptions options, Problems found)
    {
        for (int i = 0; i < options.Destinations.Count; i++)
        {
            DestinationOptions destination = options.Destinations[i];
            CheckDestination(destination, $"Destinations:{i}", options, found);
            if (destination.Kind == DestinationKind.Stow)
            {
                CheckStow(destination, $"Destinations:{i}", found);
            }
        }

        // Rows tell destinations apart by name; a name that differs in case alone is a slip.
        foreach (IGrouping<string, DestinationOptions> twice in options.Destinations.Prepend(options.Pacs)
            .GroupBy(static d => d.KnownAs, StringComparer.OrdinalIgnoreCase).Where(static g => g.Key.Length > 0 && g.Count() > 1))
        {
            found.Add("Destinations", $"names {twice.Key} more than once (Pacs counts, and without a Name the AE title is it).");
        }
    }

    private static void CheckDestination(DestinationOptions destination, string path, GatewayOptions options, Problems found)
    {
        if (destination.Kind == DestinationKind.Dimse)
        {
            CheckPeer(destination, path, found);
            found.AETitle($"{path}:CallingAETitle", destination.CallingAETitle);
            CheckLoop(destination, path, options, found);
            if (destination.Url.Length > 0)
            {
                found.Add($"{path}:Url", "is for Kind stow; dimse has Host, Port and AETitle.");
            }
        }

        if (destination.Name.Length > 0)
        {
            CheckName($"{path}:Name", destination.Name, found);
        }

        found.Range($"{path}:ConnectTimeoutSeconds", destination.ConnectTimeoutSeconds, 1, 120);
        found.Range($"{path}:AnswerTimeoutSeconds", destination.AnswerTimeoutSeconds, 1, 3600);
        found.Range($"{path}:Associations", destination.Associations, 1, 8);
        found.Range($"{path}:ReleaseAfterSeconds", destination.ReleaseAfterSeconds, 1, 3600);
        found.Range($"{path}:MaxMegabitsPerSecond", destination.MaxMegabitsPerSecond, 0, 100_000);
        if (!SendingHours.TryParse(destination.Hours, out _))
        {
            found.Add($"{path}:Hours", "must be a time from and to, such as 19:00-06:00, not twice the same; empty is always.");
        }
    }

    private static void CheckStow(DestinationOptions destination, string path, Problems found)
    {
        found.NotEmpty($"{path}:Name", destination.Name);
        if (!Uri.TryCreate(destination.Url, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https"))
        {
            found.Add($"{path}:Url", "must be an http or https address, such as https://pacs.example.org/dicom-web.");
        }
        else if (url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
        {
            found.Add($"{path}:Url", "must be without user, query and fragment: UserName and Password have keys of their own.");
        }
        else if (url.Scheme == "http" && destination.Tls.Enabled)
        {
            found.Add($"{path}:Url", "is http and Tls is enabled: write https.");
        }
        else if (url.Scheme == "http" && !url.IsLoopback && (destination.BearerToken is not null || destination.Password is not null))
        {
            found.Add($"{path}:Url", "is http: token and password would travel in the clear. Write https.");
        }

        if (destination.BearerToken is not null && destination.UserName.Length > 0)
        {
            found.Add($"{path}:UserName", "and a BearerToken are set: the service takes one of them.");
        }

        if (destination.BearerToken is { } token && (token.Length == 0 || token.Any(static c => c is <= ' ' or > '~')))
        {
            found.Add($"{path}:BearerToken", "must be printable characters without spaces.");
        }

        if (destination.UserName.Contains(':') || destination.UserName.Any(char.IsControl))
        {
            found.Add($"{path}:UserName", "must be without colon and control characters (RFC 7617).");
        }

        if (destination.StorageCommitment)
        {
            found.Add($"{path}:StorageCommitment", "is for Kind dimse.");
        }
    }

    /// <summary>An object forwarded to ourselves would be protected again, for ever.</summary>
    private static void CheckLoop(PeerOptions peer, string path, GatewayOptions options, Problems found)
    {
        if (peer.Port == options.Listen.Port && options.Listen.Port != 0 && options.Listen.AETitles.Contains(peer.AETitle)
            && (peer.Host is "localhost" || peer.Host == options.Listen.Address
                || (IPAddress.TryParse(peer.Host, out IPAddress? address) && IPAddress.IsLoopback(address))))
        {
            found.Add(path, "is this gateway itself: objects would go round for ever.");
        }
    }

    private static void CheckRoutes(GatewayOptions options, Problems found)
    {
        HashSet<string> destinations = [.. options.Destinations.Prepend(options.Pacs).Select(static d => d.KnownAs)];
        int? all = null;
        for (int i = 0; i < options.Routes.Count; i++)
        {
            RouteOptions route = options.Routes[i];
            CheckName($"Routes:{i}:Name", route.Name, found);
            CheckConditions(route, $"Routes:{i}", options, found);
            CheckTargets(route, $"Routes:{i}", destinations, found);
            if (all is { } before)
            {
                found.Add($"Routes:{i}", $"can never be reached: Routes:{before} has no condition and takes everything.");
            }
            else if (route is { CalledAETitles: [], CallingAETitles: [], Modalities: [], Tags.Count: 0 })
            {
                all = i;
            }
        }

        CheckUnique(options.Routes.Select(static r => r.Name), "Routes", found);
    }

    private static void CheckConditions(RouteOptions route, string path, GatewayOptions options, Problems found)
    {
        CheckTitles(route.CalledAETitles, $"{path}:CalledAETitles", options.Listen.AETitles, "Listen:AETitles", found);
        CheckTitles(route.CallingAETitles, $"{path}:CallingAETitles", options.Callers.Select(static c => c.AETitle), "Callers", found);
        for (int j = 0; j < route.Modalities.Count; j++)
        {
            if (route.Modalities[j].Length is 0 or > 16 || route.Modalities[j].Any(static c => c is not (>= 'A' and <= 'Z' or >= '0' and <= '9' or ' ' or '_')))
            {
                found.Add($"{path}:Modalities:{j}", "must be a value of Modality, such as CT: 1 to 16 capital letters, digits, spaces, underscores.");
            }
        }

        foreach ((string name, string pattern) in route.Tags)
        {
            if (!RouteCondition.TryFindTag(name, out Tag tag))
            {
                found.Add($"{path}:Tags:{name}", "is no keyword of the standard and no tag as ggggeeee.");
            }
            else if (!RouteCondition.HasText(tag))
            {
                found.Add($"{path}:Tags:{name}", "has no value that could be compared with a text.");
            }
            else if (pattern.Length == 0)
            {
                found.Add($"{path}:Tags:{name}", "must have a value to compare with; * matches everything, ?* everything but an absent or empty one.");
            }
        }
    }

    private static void CheckTitles(List<string> titles, string path, IEnumerable<string> known, string where, Problems found)
    {
        for (int j = 0; j < titles.Count; j++)
        {
            found.AETitle($"{path}:{j}", titles[j]);
            if (IsAETitle(titles[j]) && !known.Any(k => KeyMatch.IsLike(titles[j], k)))
            {
                found.Add($"{path}:{j}", $"matches none of {where}: the rule could never hold.");
            }
        }
    }

    private static void CheckTargets(RouteOptions route, string path, HashSet<string> destinations, Problems found)
    {
        if (route.Profile != RouteOptions.BasicProfile)
        {
            found.Add($"{path}:Profile", $"must be the name of a profile: {RouteOptions.BasicProfile}.");
        }

        if (route.Refuse != (route.Destinations.Count == 0))
        {
            found.Add($"{path}:Destinations", route.Refuse
                ? "and Refuse are set: an object either goes there or nowhere."
                : "must name at least one destination, or Refuse must be true.");
        }

        for (int j = 0; j < route.Destinations.Count; j++)
        {
            if (!destinations.Contains(route.Destinations[j]))
            {
                found.Add($"{path}:Destinations:{j}", $"is not the name of a destination; there are {string.Join(", ", destinations.Where(static d => d.Length > 0).Order(StringComparer.Ordinal))}.");
            }
            else if (route.Destinations.IndexOf(route.Destinations[j]) < j)
            {
                found.Add($"{path}:Destinations:{j}", "is named twice.");
            }
        }
    }

    /// <summary>Printable, without commas (lists of names are separated by them).</summary>
    private static void CheckName(string path, string name, Problems found)
    {
        if (name.Length is 0 or > LongestName || name.Trim().Length != name.Length || name.Any(static c => char.IsControl(c) || c == ','))
        {
            found.Add(path, $"must be 1 to {LongestName} characters, without commas, control characters and spaces at the ends.");
        }
    }
}
